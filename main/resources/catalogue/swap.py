"""Changes products and their text index together; the index keeps no text, so old entries leave before their row changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.resources.catalogue.rows import PRODUCT_COLUMNS
from main.resources.catalogue.tombstones import bury, revive_staged

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa

_COLUMNS = ", ".join(PRODUCT_COLUMNS)
_UPDATES = ", ".join(f"{column} = excluded.{column}" for column in PRODUCT_COLUMNS[1:])
_INDEXED = "name, brand, category, codes, description"
_STAGED_KEYS = "SELECT p.key FROM product p JOIN temp.staged s ON s.id = p.id"
_GONE_KEYS = "SELECT p.key FROM product p JOIN temp.gone g ON g.id = p.id"


def count_staged_updates(connection: sa.Connection) -> int:
    """Give how many staged products are in the catalogue already."""
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM ({_STAGED_KEYS})").scalar_one())


def _unindex(connection: sa.Connection, keys: str) -> None:
    connection.exec_driver_sql(
        f"INSERT INTO product_index (product_index, rowid, {_INDEXED})"
        f" SELECT 'delete', key, {_INDEXED} FROM product_text WHERE key IN ({keys})"
    )


def upsert_staged(connection: sa.Connection, *, updated: int) -> None:
    """Bring all staged products into the catalogue; ``updated`` of them are there already."""
    if updated:
        _unindex(connection, _STAGED_KEYS)
    connection.exec_driver_sql(
        f"INSERT INTO product ({_COLUMNS}) SELECT {_COLUMNS} FROM temp.staged WHERE true"
        f" ON CONFLICT (id) DO UPDATE SET {_UPDATES}"
    )
    revive_staged(connection)
    connection.exec_driver_sql(
        f"INSERT INTO product_index (rowid, {_INDEXED}) SELECT key, {_INDEXED} FROM product_text WHERE key IN ({_STAGED_KEYS})"
    )


def remove_products(connection: sa.Connection, ids: list[tuple[Any, ...]], now: dt.datetime) -> None:
    """Take products, given as rows of one id, out of the catalogue, and leave a tombstone for each."""
    if not ids:
        return
    connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS gone (id TEXT PRIMARY KEY)")
    connection.exec_driver_sql("DELETE FROM temp.gone")
    connection.exec_driver_sql("INSERT INTO temp.gone VALUES (?)", ids)
    _unindex(connection, _GONE_KEYS)
    connection.exec_driver_sql("DELETE FROM product WHERE id IN (SELECT id FROM temp.gone)")
    bury(connection, now)
