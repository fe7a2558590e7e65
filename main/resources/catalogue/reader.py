"""The SQLite catalogue as the API reads it: stored documents out, nothing written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from main.resources.catalogue.facetcounts import Tally, make_buckets
from main.resources.catalogue.rows import SOURCE_COLUMNS, rejected_record, source_record
from main.resources.catalogue.statements import Statement, count_statement, facet_statement, is_everything, page_statement
from main.resources.catalogue.syncs import read_sync, read_syncs
from main.resources.catalogue.tombstones import read_tombstone
from main.resources.database.engine import WriterLock, make_engine, migrate, reading, store_errors
from main.resources.database.times import from_ms
from main.service.model import Head, Hits
from main.util.timed import timed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import sqlalchemy as sa

    from main.service.model import Query, Rejected, SyncRecord, Tombstone

TALLIED = 1 << 17  # keys whose products are counted at once: more would be a text of more than 5 MB
_LARGEST = 2**63 - 1  # what SQLite takes as a whole number
_DOCUMENT = "SELECT d.document FROM product p JOIN product_document d ON d.key = p.key WHERE p.id = ?"
_SOURCES = (
    f"SELECT {', '.join(f's.{column}' for column in SOURCE_COLUMNS)}, l.expires_at AS lease_until,"
    " y.id AS sync_id, y.state AS sync_state, d.drift, d.drifted_at"
    " FROM source s LEFT JOIN lease l ON l.source = s.name LEFT JOIN shape d ON d.source = s.name"
    " LEFT JOIN sync y ON y.id = (SELECT max(id) FROM sync WHERE source = s.name)"
)


class SqliteReader:
    """Reads the catalogue; every page comes from one read transaction, so it is of one version."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = make_engine(path, writer=False)

    def open(self) -> None:
        """Create the database if there is none, and bring its schema up to date.

        Raises:
            StoreDown: the file cannot be used.
        """
        with store_errors():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            writer = make_engine(self._path, writer=True)
            migrate(writer, WriterLock(self._path))
            writer.dispose()

    def ping(self) -> None:
        """Return when the store answers.

        Raises:
            StoreDown: it does not.
        """
        with self._reading() as connection:
            connection.exec_driver_sql("SELECT version FROM catalogue").scalar_one()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def head(self) -> Head:
        """Give the catalogue's version and every source's record."""
        with self._reading() as connection:
            return _head(connection)

    @timed
    def find(self, query: Query) -> tuple[Head, Hits]:
        """Give the page a query asks for, and the head it was read at, both of one moment."""
        with self._reading() as connection:
            head = _head(connection)
            # With words, finding the hits is what costs most: what counts their values also tells how many there are.
            tally = _tally(connection, query) if query.terms and query.facets else None
            total = _count(connection, query) if tally is None else tally.products
            wide = total * 2 >= sum(record.products for record in head.records.values())
            if tally is None and query.facets and not is_everything(query):
                tally = _tally(connection, query, wide=wide)
            rows = _run(connection, page_statement(query, total, wide=wide)).all() if total else ()
            values = _value_counts(connection, query, tally) if query.facets else ()
            return head, Hits(tuple(row[0].encode() for row in rows), total, make_buckets(values, query.facets))

    def get(self, product_id: str) -> bytes | None:
        """Give one product's stored document."""
        with self._reading() as connection:
            found = connection.exec_driver_sql(_DOCUMENT, (product_id,)).scalar()
            return None if found is None else str(found).encode()

    def tombstone(self, product_id: str) -> Tombstone | None:
        """Give when a product left the catalogue; None when it did not, or was never there."""
        with self._reading() as connection:
            return read_tombstone(connection, product_id)

    def quarantine(self, source: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        """Give one page of a source's rejected records, and how many there are."""
        with self._reading() as connection:
            total = connection.exec_driver_sql("SELECT count(*) FROM quarantine WHERE source = ?", (source,)).scalar_one()
            rows = connection.exec_driver_sql(
                "SELECT position, record_id, faults, raw FROM quarantine WHERE source = ? ORDER BY position LIMIT ? OFFSET ?",
                (source, per_page, (page - 1) * per_page),
            ).all()
            return [rejected_record(row) for row in rows], int(total)

    def rejected_of(self, source: str, record_id: str) -> Sequence[Rejected]:
        """Give the source's rejected records that have this id, in the order of the crawl, at most 20."""
        with self._reading() as connection:
            rows = connection.exec_driver_sql(
                "SELECT position, record_id, faults, raw FROM quarantine WHERE source = ? AND record_id = ? ORDER BY position LIMIT 20",
                (source, record_id),
            ).all()
            return [rejected_record(row) for row in rows]

    def syncs(self, source: str, page: int, per_page: int) -> tuple[Sequence[SyncRecord], int]:
        """Give one page of a source's syncs, newest first, and how many are kept."""
        with self._reading() as connection:
            return read_syncs(connection, source, page, per_page)

    def sync(self, source: str, number: int) -> SyncRecord | None:
        """Give one sync of a source by its id."""
        if number > _LARGEST:
            return None
        with self._reading() as connection:
            return read_sync(connection, source, number)

    def watched_at(self, source: str) -> dt.datetime | None:
        """Give when a watcher last said that it watches the source."""
        with self._reading() as connection:
            return from_ms(connection.exec_driver_sql("SELECT seen_at FROM heartbeat WHERE source = ?", (source,)).scalar())

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return reading(self._engine)


def _run(connection: sa.Connection, statement: Statement) -> sa.CursorResult[Any]:
    return connection.exec_driver_sql(statement.sql, statement.parameters)


def _head(connection: sa.Connection) -> Head:
    # data_version moves when another connection commits: while it stands still, what this one read last is still true.
    moved = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    known: tuple[int, Head] | None = connection.info.get("head")
    if known is not None and known[0] == moved:
        return known[1]
    version = connection.exec_driver_sql("SELECT version FROM catalogue").scalar_one()
    rows = connection.exec_driver_sql(_SOURCES).all()
    head = Head(int(version), {row.name: source_record(row) for row in rows})
    connection.info["head"] = (moved, head)
    return head


def _count(connection: sa.Connection, query: Query) -> int:
    return int(_run(connection, count_statement(query)).scalar_one())


def _tally(connection: sa.Connection, query: Query, *, wide: bool = False) -> Tally:
    tally = Tally(query.facets)
    last = connection.exec_driver_sql("SELECT coalesce(max(key), 0) FROM product").scalar_one()
    for first in range(0, last + 1, TALLIED):
        tally.add(_run(connection, facet_statement(query, range(first, first + TALLIED), wide=wide)).scalar_one())
    return tally


def _value_counts(connection: sa.Connection, query: Query, tally: Tally | None) -> Iterator[tuple[str, str, int]]:
    if tally is None:
        yield from connection.exec_driver_sql(
            "SELECT facet, value, products FROM facet_value WHERE facet IN (SELECT value FROM json_each(?))",
            (orjson.dumps(query.facets).decode(),),
        )
        return
    rows = connection.exec_driver_sql(
        "SELECT facet, value, id FROM facet_value WHERE id IN (SELECT value FROM json_each(?))",
        (orjson.dumps([*tally.values]).decode(),),
    )
    for facet, value, number in rows:
        yield facet, value, tally.values[number]
