"""Products of a crawl under way, and the one transaction that makes them the source's snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from main.resources.catalogue.journal import record_failure, record_success, replace_quarantine
from main.resources.catalogue.rows import STAGED_COLUMNS, product_row
from main.resources.catalogue.swap import count_staged_updates, remove_products, upsert_staged
from main.resources.database.engine import WriterLock, writing
from main.service.errors import LeaseLost
from main.util.timed import timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import sqlalchemy as sa

    from main.service.model import Product, Rejected, SyncReport

_BATCH = 500
_AGREEMENT = 0.9
_COLUMNS = ", ".join(STAGED_COLUMNS)
_MARKS = ", ".join("?" * len(STAGED_COLUMNS))


class SqliteStaging:
    """New and changed products in a temporary table of a connection of its own; unchanged ones as ids in memory."""

    def __init__(self, connection: sa.Connection, lock: WriterLock, source: str) -> None:
        self._connection = connection
        self._lock = lock
        self._source = source
        self._kept: set[str] = set()
        self._staged: set[str] = set()
        self._batch: list[tuple[Any, ...]] = []
        self._known: dict[bytes, str] | None = None
        connection.exec_driver_sql(f"CREATE TEMP TABLE staged AS SELECT {_COLUMNS} FROM product JOIN product_document LIMIT 0")

    def known(self) -> Mapping[bytes, str]:
        """Give the digest of every record in the last good snapshot, with its source id."""
        if self._known is None:
            rows = self._connection.exec_driver_sql("SELECT digest, source_id FROM product WHERE source = ?", (self._source,))
            self._known = {row[0]: row[1] for row in rows}
        return self._known

    def add(self, product: Product, document: bytes, digest: bytes) -> None:
        """Keep a new or changed product for the commit."""
        self._staged.add(product.source_id)
        self._batch.append(product_row(product, document, digest))
        if len(self._batch) >= _BATCH:
            self._flush()

    def keep(self, source_id: str) -> None:
        """Note that a product of the last good snapshot was seen again, unchanged."""
        self._kept.add(source_id)

    def counts(self) -> tuple[int, int]:
        """Give how many products the last good snapshot has, and how many the staged one."""
        return len(self.known()), len(self._kept) + len(self._staged)

    @timed
    def commit(self, report: SyncReport, rejected: Iterable[Rejected], owner: str) -> SyncReport:
        """Replace the source's snapshot in one transaction and give the report with its counts.

        Raises:
            LeaseLost: the lease is no longer the owner's; nothing was changed.
        """
        self._flush()
        gone = [(f"{self._source}:{source_id}",) for source_id in set(self.known().values()) - self._kept - self._staged]
        with writing(self._connection, self._lock) as connection:
            _check_lease(connection, self._source, owner)
            updated = count_staged_updates(connection)
            remove_products(connection, gone, report.finished_at)
            upsert_staged(connection, updated=updated)
            grown = int(bool(self._staged or gone))
            connection.exec_driver_sql("UPDATE catalogue SET version = version + ?", (grown,))
            complete = replace(
                report,
                products=self.counts()[1],
                created=len(self._staged) - updated,
                updated=updated,
                deleted=len(gone),
                version=int(connection.exec_driver_sql("SELECT version FROM catalogue").scalar_one()),
            )
            replace_quarantine(connection, self._source, rejected)
            connection.exec_driver_sql("DELETE FROM held WHERE source = ?", (self._source,))
            record_success(connection, complete)
            return complete

    def hold(self, report: SyncReport) -> None:
        """Record a crawl that waits for a second one, with the ids it saw; the snapshot stays."""
        with writing(self._connection, self._lock) as connection:
            connection.exec_driver_sql("DELETE FROM held WHERE source = ?", (self._source,))
            connection.exec_driver_sql("INSERT INTO held VALUES (?, ?)", [(self._source, seen) for seen in self._seen()])
            record_failure(connection, report)

    def held_agrees(self) -> bool:
        """Tell whether a crawl that was held before saw (nearly) the same products as this one."""
        rows = self._connection.exec_driver_sql("SELECT source_id FROM held WHERE source = ?", (self._source,))
        held, seen = {row[0] for row in rows}, self._seen()
        return bool(held) and len(held & seen) >= _AGREEMENT * max(len(held), len(seen))

    def _seen(self) -> set[str]:
        # A crawl that saw nothing at all is marked by one empty id, so that it can be told from no crawl.
        return (self._kept | self._staged) or {""}

    def _flush(self) -> None:
        if self._batch:
            self._connection.exec_driver_sql(f"INSERT INTO temp.staged VALUES ({_MARKS})", self._batch)
            self._batch = []


def _check_lease(connection: sa.Connection, source: str, owner: str) -> None:
    holder = connection.exec_driver_sql("SELECT owner FROM lease WHERE source = ?", (source,)).scalar()
    if holder != owner:
        raise LeaseLost("Another process has taken over this source.")
