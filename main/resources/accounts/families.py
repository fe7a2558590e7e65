"""Logins in the database, each the family of refresh tokens that follow one another."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from main.resources.database.times import to_ms

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa

# How long a login that ended is told, so that its access tokens are refused; they live for a quarter of an hour.
REMEMBERED = timedelta(hours=1)


def insert_family(connection: sa.Connection, account_id: int, family: str, token_id: str, until: dt.datetime) -> None:
    """Begin a login."""
    connection.exec_driver_sql(
        "INSERT INTO token_family (family, account, current, until) VALUES (?, ?, ?, ?)",
        (family, account_id, token_id, to_ms(until)),
    )


def replace_token(connection: sa.Connection, family: str, token_id: str, next_id: str, now: dt.datetime) -> bool:
    """Put the next refresh token in the place of this one; False where this one is not the current one of a living login."""
    changed = connection.exec_driver_sql(
        "UPDATE token_family SET current = ? WHERE family = ? AND current = ? AND ended_at IS NULL AND until > ?",
        (next_id, family, token_id, to_ms(now)),
    )
    return changed.rowcount == 1


def is_living(connection: sa.Connection, family: str, now: dt.datetime) -> bool:
    """Tell whether a login goes on."""
    statement = "SELECT 1 FROM token_family WHERE family = ? AND ended_at IS NULL AND until > ?"
    return connection.exec_driver_sql(statement, (family, to_ms(now))).first() is not None


def end_family(connection: sa.Connection, family: str, now: dt.datetime) -> bool:
    """End a login; False where there is none that lives."""
    changed = connection.exec_driver_sql(
        "UPDATE token_family SET ended_at = ? WHERE family = ? AND ended_at IS NULL", (to_ms(now), family)
    )
    return changed.rowcount == 1


def sweep_families(connection: sa.Connection, now: dt.datetime) -> None:
    """Drop what no token that still lives can belong to."""
    connection.exec_driver_sql("DELETE FROM token_family WHERE until < ?", (to_ms(now - REMEMBERED),))


def read_ended(connection: sa.Connection, now: dt.datetime) -> frozenset[str]:
    """Give the logins whose access tokens might still live, had they not ended."""
    rows = connection.exec_driver_sql("SELECT family FROM token_family WHERE ended_at >= ?", (to_ms(now - REMEMBERED),))
    return frozenset(row[0] for row in rows)
