"""Keys of machines in the database: their digests, never the keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from main.resources.database.times import from_ms, to_ms
from main.service.model import ApiKey, Role

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa

LISTED = timedelta(days=30)  # how long a key is still listed after it ended
NOTED = timedelta(minutes=5)  # how exactly it is known when a key was last used
_SELECT = "SELECT id, name, role, created_at, expires_at, revoked_at, last_used_at FROM api_key"


def insert_key(connection: sa.Connection, key: ApiKey, digest: bytes) -> None:
    """Keep a key by its digest."""
    times = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
    connection.exec_driver_sql(
        "INSERT INTO api_key (id, name, role, digest, created_at, expires_at, revoked_at, last_used_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key.id, key.name, key.role, digest, *map(to_ms, times)),
    )


def find_key(connection: sa.Connection, digest: bytes) -> ApiKey | None:
    """Give the key with this digest."""
    row = connection.exec_driver_sql(f"{_SELECT} WHERE digest = ?", (digest,)).first()
    return None if row is None else _key(row)


def read_keys(connection: sa.Connection) -> list[ApiKey]:
    """Give all keys, newest first."""
    return [_key(row) for row in connection.exec_driver_sql(f"{_SELECT} ORDER BY created_at DESC, id").all()]


def note_use(connection: sa.Connection, key_id: str, now: dt.datetime) -> None:
    """Note that a key was used, unless that was noted a moment ago."""
    connection.exec_driver_sql(
        "UPDATE api_key SET last_used_at = ? WHERE id = ? AND coalesce(last_used_at, 0) <= ?",
        (to_ms(now), key_id, to_ms(now - NOTED)),
    )


def end_key(connection: sa.Connection, key_id: str, now: dt.datetime) -> bool:
    """End a key; False when there is none."""
    changed = connection.exec_driver_sql(
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (to_ms(now), key_id)
    )
    return changed.rowcount == 1


def sweep_keys(connection: sa.Connection, now: dt.datetime) -> None:
    """Drop keys that ended long ago."""
    long_ago = to_ms(now - LISTED)
    connection.exec_driver_sql("DELETE FROM api_key WHERE expires_at < ? OR revoked_at < ?", (long_ago, long_ago))


def _key(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        created_at=from_ms(row.created_at),
        expires_at=from_ms(row.expires_at),
        revoked_at=from_ms(row.revoked_at),
        last_used_at=from_ms(row.last_used_at),
    )
