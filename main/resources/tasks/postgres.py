"""Tasks in PostgreSQL: what every process of every machine sees."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from main.resources.database.engine import read_revision, store_errors, upgrade
from main.resources.tasks.sql import SqlTasks
from main.resources.tasks.tables import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONNECT_SECONDS = 3
# What was answered for is on disk, whatever the server does by itself; and nobody waits for another for ever.
_OPTIONS = (
    "-c synchronous_commit=on -c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000"
)
_TURN = 0x41_69_73_6C_65  # the advisory lock that one process holds while it changes the schema


class PostgresTasks(SqlTasks):
    """Keeps tasks in the database that a URL names; nothing is connected before it is used."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._engine = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": _CONNECT_SECONDS, "options": _OPTIONS, "application_name": "aisle"},
            pool_size=4,
            max_overflow=28,
            pool_pre_ping=True,  # a server that was started again is no error to whoever asks next
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _prepare(self) -> None:
        with self._engine.begin() as connection:
            if read_revision(connection, SCHEMA) == SCHEMA.revision:
                return
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))
            upgrade(connection, SCHEMA)

    @contextmanager
    def _reads(self) -> Iterator[sa.Connection]:
        with store_errors(), self._snapshots.begin() as connection:
            yield connection

    @contextmanager
    def _writes(self) -> Iterator[sa.Connection]:
        with store_errors(), self._engine.begin() as connection:
            yield connection
