"""Accounts in the database: their rows, and what changes them; every function works on the connection it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.database.times import from_ms, to_ms
from main.service.errors import NameTaken
from main.service.model import Account, Role
from main.util.text import fold

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa

_LARGEST = 2**63 - 1  # what SQLite takes as a whole number
_SELECT = "SELECT id, username, role, enabled, generation, password_hash, created_at FROM account"


def insert_account(connection: sa.Connection, made: Account, wanted_id: int | None) -> Account:
    """Add an account, with the wanted id if it is free.

    Raises:
        NameTaken: there is one of this name already.
    """
    if find_account(connection, made.username) is not None:
        raise NameTaken("There is an account of this name already.")
    free = wanted_id is not None and 0 < wanted_id <= _LARGEST and get_account(connection, wanted_id) is None
    row = (
        wanted_id if free else None,
        made.username,
        _key(made.username),
        made.role,
        made.generation,
        made.password_hash,
        to_ms(made.created_at),
    )
    number = connection.exec_driver_sql(
        "INSERT INTO account (id, username, name_key, role, generation, password_hash, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        row,
    ).lastrowid
    return _read(connection, "id", number)[0]


def find_account(connection: sa.Connection, username: str) -> Account | None:
    """Give the account of this name, upper and lower case being the same."""
    return next(iter(_read(connection, "name_key", _key(username))), None)


def get_account(connection: sa.Connection, account_id: int) -> Account | None:
    """Give the account with this id."""
    if not 0 < account_id <= _LARGEST:
        return None
    return next(iter(_read(connection, "id", account_id)), None)


def read_accounts(connection: sa.Connection) -> list[Account]:
    """Give all accounts by name."""
    return [_account(row) for row in connection.exec_driver_sql(f"{_SELECT} ORDER BY name_key").all()]


def change_hash(connection: sa.Connection, account_id: int, password_hash: str, instead_of: str | None) -> bool:
    """Change an account's hash, if it is still that one; False where nothing was changed."""
    changed = connection.exec_driver_sql(
        "UPDATE account SET password_hash = ? WHERE id = ? AND password_hash = coalesce(?, password_hash)",
        (password_hash, account_id, instead_of),
    )
    return changed.rowcount == 1


def switch(connection: sa.Connection, account_id: int, *, enabled: bool) -> None:
    """Switch an account on or off."""
    connection.exec_driver_sql("UPDATE account SET enabled = ? WHERE id = ?", (enabled, account_id))


def end_generation(connection: sa.Connection, account_id: int, now: dt.datetime) -> None:
    """End every token that an account was given so far."""
    connection.exec_driver_sql("UPDATE account SET generation = generation + 1 WHERE id = ?", (account_id,))
    connection.exec_driver_sql(
        "UPDATE token_family SET ended_at = ? WHERE account = ? AND ended_at IS NULL", (to_ms(now), account_id)
    )


def read_generations(connection: sa.Connection) -> dict[int, int | None]:
    """Give each account's generation; None where it is switched off."""
    rows = connection.exec_driver_sql("SELECT id, CASE WHEN enabled THEN generation END FROM account").all()
    return {row[0]: row[1] for row in rows}


def _read(connection: sa.Connection, column: str, value: object) -> list[Account]:
    return [_account(row) for row in connection.exec_driver_sql(f"{_SELECT} WHERE {column} = ?", (value,)).all()]


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    return Account(
        id=row.id,
        username=row.username,
        role=Role(row.role),
        enabled=bool(row.enabled),
        generation=row.generation,
        created_at=from_ms(row.created_at),
        password_hash=row.password_hash,
    )


def _key(username: str) -> str:
    # A name may be asked for that cannot be written, with half a surrogate pair; it is nobody's.
    return fold(username).encode("utf-8", "replace").decode()
