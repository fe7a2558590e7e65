"""The products of a crawl under way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from main.service.errors import LeaseLost
from main.service.model import SourceRecord
from test.fakes.shelves import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from main.service.model import Product, Rejected, SyncReport
    from test.fakes.catalogue import MemoryCatalogue


class MemoryStaging:
    """Products of a crawl under way, in two dicts."""

    def __init__(self, store: MemoryCatalogue, source: str) -> None:
        self._store = store
        self._source = source
        self._added: dict[str, tuple[Product, bytes, bytes]] = {}
        self._kept: set[str] = set()
        self._known = {row.digest: row.product.source_id for row in store.rows.values() if row.product.source == source}

    def known(self) -> Mapping[bytes, str]:
        return self._known

    def add(self, product: Product, document: bytes, digest: bytes) -> None:
        self._added[product.source_id] = (product, document, digest)

    def keep(self, source_id: str) -> None:
        self._kept.add(source_id)

    def counts(self) -> tuple[int, int]:
        return len(self._known), len(self._seen())

    def commit(self, report: SyncReport, rejected: Iterable[Rejected], owner: str) -> SyncReport:
        store = self._store
        with store.lock:
            if store.leases.get(self._source, ("",))[0] != owner:
                raise LeaseLost("Another process has taken over this source.")
            gone = set(self._known.values()) - self._seen()
            store.bury([f"{self._source}:{source_id}" for source_id in gone], report.finished_at)
            updated = sum(self._put(*added) for added in self._added.values())
            store.version += bool(self._added or gone)
            created, version = len(self._added) - updated, store.version
            done = replace(report, created=created, updated=updated, deleted=len(gone), version=version)
            store.rejected[self._source] = list(rejected)
            store.held.pop(self._source, None)
            self._record(done)
            return done

    def hold(self, report: SyncReport) -> None:
        self._store.held[self._source] = self._seen()
        self._store.record(report)

    def held_agrees(self) -> bool:
        if self._source not in self._store.held:
            return False
        held, seen = self._store.held[self._source], self._seen()
        return len(held & seen) >= 0.9 * max(len(held), len(seen))

    def _seen(self) -> set[str]:
        return self._kept | set(self._added)

    def _put(self, product: Product, document: bytes, digest: bytes) -> bool:
        known = self._store.rows.get(product.id)
        self._store.keys += known is None
        key = known.key if known else self._store.keys
        self._store.rows[product.id] = Row(key, product, document, digest)
        self._store.tombstones.pop(product.id, None)
        return known is not None

    def _record(self, report: SyncReport) -> None:
        known = self._store.sources.get(report.source, SourceRecord(name=report.source))
        self._store.sources[report.source] = replace(
            known,
            products=report.products,
            rejected=report.rejected,
            synced_at=report.finished_at,
            attempted_at=report.finished_at,
            outcome=report.outcome,
            failures=0,
            duration_ms=report.duration_ms,
        )
        self._store.close_sync(report)
