"""What facets are counted by, kept in step with the products in the transaction that changes them.

``facet_value`` has every value as it is spelled, its number, and how many products have it. ``product.facets`` has the numbers
of a product's values as one text of fixed width: a hundred thousand of them are joined and counted in a fraction of the time
in which the values themselves are grouped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service.model import FACETS

if TYPE_CHECKING:
    import sqlalchemy as sa

_UNIT = 10_000
# Other bands, facets or widths need a migration that writes both anew.
PRICE_BANDS = tuple(step * _UNIT for step in (0, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000))
_BAND = " ".join(f"WHEN price >= {bound} THEN {bound}" for bound in reversed(PRICE_BANDS))
_VALUES = {facet: facet for facet in FACETS} | {"price": f"currency || ' ' || CASE {_BAND} END"}
_COLUMNS = ", ".join(f"{value} AS {facet}" for facet, value in _VALUES.items())
_NUMBERS = ", ".join(
    f"ifnull((SELECT id FROM facet_value WHERE facet = '{facet}' AND value = {value} COLLATE BINARY), 0)"
    for facet, value in _VALUES.items()
)
# SQL for a row's numbers: eight hexadecimal digits each, 0 where it has no value; those of staged products are entered first.
FACETS_WIDTH = 8 * len(FACETS)
FACET_NUMBERS = f"printf('{'%08x' * len(FACETS)}', {_NUMBERS})"


def enter_staged_values(connection: sa.Connection) -> None:
    """Give a number to every value of a staged product that has none; nothing is counted yet."""
    connection.exec_driver_sql(
        f"INSERT OR IGNORE INTO facet_value (facet, value, products) {_group(f'SELECT {_COLUMNS} FROM temp.staged', '0')}"
    )


def count_facets(connection: sa.Connection, keys: str) -> None:
    """Count the products whose keys the SQL ``keys`` selects; none of them may be counted already."""
    _add(connection, keys, "+")


def uncount_facets(connection: sa.Connection, keys: str) -> None:
    """Take products that still are as they were when they were counted out of the counts; forget values that none has."""
    _add(connection, keys, "-")
    connection.exec_driver_sql("DELETE FROM facet_value WHERE products = 0")


def _add(connection: sa.Connection, keys: str, sign: str) -> None:
    counted = _group(f"SELECT {_COLUMNS} FROM product WHERE key IN ({keys})", "count(*)")
    connection.exec_driver_sql(
        f"UPDATE facet_value SET products = facet_value.products {sign} counted.products FROM ({counted}) AS counted"
        " WHERE facet_value.facet = counted.facet AND facet_value.value = counted.value"
    )


def _group(rows: str, number: str) -> str:
    # Grouped as they are spelled, though brand and category are columns that do not regard capitals.
    values = " UNION ALL ".join(
        f"SELECT '{facet}' AS facet, {facet} COLLATE BINARY AS value, {number} AS products FROM chosen"
        f" WHERE {facet} IS NOT NULL GROUP BY {facet} COLLATE BINARY"
        for facet in FACETS
    )
    return f"SELECT * FROM (WITH chosen AS MATERIALIZED ({rows}) {values})"
