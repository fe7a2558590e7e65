"""Answers to requests that carry a key, in the store."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import orjson

from main.resources.database.engine import WriterLock, make_engine, store_errors, writing
from main.resources.database.times import to_ms
from main.service.model import Begun, Reply, Standing
from main.util.processes import has_ended

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from main.service.model import Claim

KEPT = dt.timedelta(hours=24)
LEASE = dt.timedelta(seconds=150)  # longer than any request lives: the server ends those that take 120 s
_SWEPT = 500  # answers thrown out at most with each request
_PATIENCE = 5.0  # seconds a caller waits for another process that is writing, before it is told to come back


class SqliteReplies:
    """A row for each key; the schema is brought up to date by whoever reads the store."""

    def __init__(self, path: Path) -> None:
        self._engine = make_engine(path, writer=True)
        self._lock = WriterLock(path, _PATIENCE)

    def begin(self, claim: Claim, now: dt.datetime) -> Begun:
        """Take a key for a request, unless it was taken before; tells which. What a process that has died had taken is free again.

        Raises:
            StoreDown: the store does not answer.
        """
        with store_errors(), self._engine.connect() as connection:
            # Most repetitions find their answer, or the first one under way: that takes no turn among those who write.
            begun = _look(connection, claim, now)
            if begun.standing is not Standing.NEW:
                return begun
            with writing(connection, self._lock):
                _sweep(connection, now)
                begun = _look(connection, claim, now)
                if begun.standing is Standing.NEW:
                    connection.exec_driver_sql(
                        "INSERT OR REPLACE INTO reply (scope, key, fingerprint, owner, expires_at) VALUES (?, ?, ?, ?, ?)",
                        (claim.scope, claim.key, claim.fingerprint, claim.owner, to_ms(now + LEASE)),
                    )
            return begun

    def finish(self, claim: Claim, reply: Reply, now: dt.datetime) -> None:
        """Keep the answer, if the key is still the claim's.

        Raises:
            StoreDown: the store does not answer.
        """
        with store_errors(), self._engine.connect() as connection, writing(connection, self._lock):
            connection.exec_driver_sql(
                "UPDATE reply SET status = ?, headers = ?, body = ?, expires_at = ? WHERE scope = ? AND key = ? AND owner = ?",
                (
                    reply.status,
                    orjson.dumps(reply.headers).decode(),
                    reply.body,
                    to_ms(now + KEPT),
                    claim.scope,
                    claim.key,
                    claim.owner,
                ),
            )

    def release(self, claim: Claim) -> None:
        """Give the key back without an answer, if it is still the claim's.

        Raises:
            StoreDown: the store does not answer.
        """
        with store_errors(), self._engine.connect() as connection, writing(connection, self._lock):
            connection.exec_driver_sql(
                "DELETE FROM reply WHERE scope = ? AND key = ? AND owner = ? AND status IS NULL",
                (claim.scope, claim.key, claim.owner),
            )


def _sweep(connection: sa.Connection, now: dt.datetime) -> None:
    connection.exec_driver_sql(
        "DELETE FROM reply WHERE (scope, key) IN (SELECT scope, key FROM reply WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
        (to_ms(now), _SWEPT),
    )


def _look(connection: sa.Connection, claim: Claim, now: dt.datetime) -> Begun:
    row = connection.exec_driver_sql(
        "SELECT fingerprint, owner, status, headers, body FROM reply WHERE scope = ? AND key = ? AND expires_at > ?",
        (claim.scope, claim.key, to_ms(now)),
    ).first()
    return _judge(row, claim)


def _judge(row: sa.Row[Any] | None, claim: Claim) -> Begun:
    if row is None:
        return Begun(Standing.NEW)
    if row.fingerprint != claim.fingerprint:
        return Begun(Standing.OTHER)
    if row.status is not None:
        headers = tuple((name, value) for name, value in orjson.loads(row.headers))
        return Begun(Standing.DONE, Reply(row.status, headers, row.body))
    return Begun(Standing.NEW if has_ended(row.owner.partition("#")[0]) else Standing.UNDER_WAY)
