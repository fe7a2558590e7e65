"""The SQLite catalogue as the rules for tasks look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.catalogue.reader import SqliteReader
from main.service.model import Flaw, Rival

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAWS = (
    "SELECT id, name, image, description FROM (SELECT key, id, json_extract(document, '$.name') AS name,"
    " coalesce(json_array_length(document, '$.images'), 0) > 0 AS image,"
    " coalesce(json_extract(document, '$.description'), '') <> '' AS description"
    " FROM product JOIN product_document USING (key) WHERE source = ?) WHERE NOT (image AND description) ORDER BY key"
)
_RIVALS = (
    "SELECT p.id, p.source, p.gtin, p.brand, p.currency, p.price FROM product p WHERE p.gtin IS NOT NULL"
    " AND EXISTS (SELECT 1 FROM product o WHERE o.gtin = p.gtin AND o.source <> p.source) ORDER BY p.id"
)


class SqliteInspector(SqliteReader):
    """Reads what the rules need, beside what every reader reads."""

    def flaws(self, source: str) -> Sequence[Flaw]:
        """Give the products of a source that lack a picture or a description."""
        with self._reading() as connection:
            rows = connection.exec_driver_sql(_FLAWS, (source,))
            return [Flaw(row.id, row.name, bool(row.image), bool(row.description)) for row in rows]

    def rivals(self) -> Sequence[Rival]:
        """Give all products whose GTIN another source has as well."""
        with self._reading() as connection:
            rows = connection.exec_driver_sql(_RIVALS)
            return [
                Rival(
                    product=row.id,
                    source=row.source,
                    gtin=row.gtin,
                    brand=row.brand,
                    currency=row.currency,
                    price=row.price,
                )
                for row in rows
            ]
