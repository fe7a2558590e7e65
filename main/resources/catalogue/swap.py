"""Changes products, their documents, text index and facet counts together.

Neither index nor counts keep what a product was, so it leaves them before its row changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.resources.catalogue.facets import FACET_NUMBERS, count_facets, enter_staged_values, uncount_facets
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


def _leave_indexes(connection: sa.Connection, keys: str) -> None:
    uncount_facets(connection, keys)
    connection.exec_driver_sql(
        f"INSERT INTO product_index (product_index, rowid, {_INDEXED})"
        f" SELECT 'delete', key, {_INDEXED} FROM product_text WHERE key IN ({keys})"
    )


def upsert_staged(connection: sa.Connection, *, updated: int) -> None:
    """Bring all staged products into the catalogue; ``updated`` of them are there already."""
    if updated:
        _leave_indexes(connection, _STAGED_KEYS)
    enter_staged_values(connection)
    connection.exec_driver_sql(
        f"INSERT INTO product ({_COLUMNS}, facets) SELECT {_COLUMNS}, {FACET_NUMBERS} FROM temp.staged WHERE true"
        f" ON CONFLICT (id) DO UPDATE SET {_UPDATES}, facets = excluded.facets"
    )
    connection.exec_driver_sql(
        "INSERT INTO product_document (key, document)"
        " SELECT p.key, s.document FROM temp.staged s JOIN product p ON p.id = s.id WHERE true"
        " ON CONFLICT (key) DO UPDATE SET document = excluded.document"
    )
    revive_staged(connection)
    connection.exec_driver_sql(
        f"INSERT INTO product_index (rowid, {_INDEXED}) SELECT key, {_INDEXED} FROM product_text WHERE key IN ({_STAGED_KEYS})"
    )
    count_facets(connection, _STAGED_KEYS)


def remove_products(connection: sa.Connection, ids: list[tuple[Any, ...]], now: dt.datetime) -> None:
    """Take products, given as rows of one id, out of the catalogue, and leave a tombstone for each."""
    if not ids:
        return
    connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS gone (id TEXT PRIMARY KEY)")
    connection.exec_driver_sql("DELETE FROM temp.gone")
    connection.exec_driver_sql("INSERT INTO temp.gone VALUES (?)", ids)
    _leave_indexes(connection, _GONE_KEYS)
    connection.exec_driver_sql(f"DELETE FROM product_document WHERE key IN ({_GONE_KEYS})")
    connection.exec_driver_sql("DELETE FROM product WHERE id IN (SELECT id FROM temp.gone)")
    bury(connection, now)
