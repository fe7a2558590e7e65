"""A catalogue in memory; the contract suite of catalogues tries it like the others."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from main.service.model import TOMBSTONES_KEPT, Head, Hits, LastSync, SourceRecord, Tombstone
from test.contract.oracle import count_facet, matches, rank
from test.fakes.staging import MemoryStaging
from test.fakes.syncbook import SyncBook

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from main.service.model import Query, Rejected, SyncReport


class MemoryCatalogue(SyncBook):
    """A catalogue reader and writer in memory; everything is found by looking at every product."""

    # the reading side

    def head(self) -> Head:
        with self._held():
            return Head(self.version, {name: self._whole(record) for name, record in self.sources.items()})

    def find(self, query: Query) -> tuple[Head, Hits]:
        with self._held():
            self.reads += 1
            found = [row for row in self.rows.values() if matches(row.product, query)]
            found.sort(key=lambda row: rank(row.product, row.key, query))
            start = (query.page - 1) * query.per_page
            page = tuple(row.document for row in found[start : start + query.per_page])
            products = [row.product for row in found]
            return self.head(), Hits(page, len(found), {facet: count_facet(products, facet) for facet in query.facets})

    def get(self, product_id: str) -> bytes | None:
        with self._held():
            row = self.rows.get(product_id)
            return row.document if row else None

    def tombstone(self, product_id: str) -> Tombstone | None:
        with self._held():
            return self.tombstones.get(product_id)

    def quarantine(self, source: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        with self._held():
            rejected = sorted(self.rejected.get(source, []), key=lambda record: record.position)
            return rejected[(page - 1) * per_page : page * per_page], len(rejected)

    def rejected_of(self, source: str, record_id: str) -> Sequence[Rejected]:
        with self._held():
            found = [record for record in self.rejected.get(source, []) if record.record_id == record_id]
            return sorted(found, key=lambda record: record.position)[:20]

    # the writing side

    def acquire(self, source: str, owner: str, until: dt.datetime, now: dt.datetime) -> bool:
        with self._held():
            holder = self.leases.get(source)
            if holder is not None and holder[0] != owner and holder[1] > now:
                return False
            self.leases[source] = (owner, until)
            self.sources.setdefault(source, SourceRecord(name=source))
            return True

    def release(self, source: str, owner: str) -> None:
        with self._held():
            if self.leases.get(source, ("",))[0] == owner:
                del self.leases[source]

    @contextmanager
    def stage(self, source: str) -> Iterator[MemoryStaging]:
        self._require()
        yield MemoryStaging(self, source)

    def record(self, report: SyncReport, rejected: Sequence[Rejected] | None = None) -> None:
        with self._held():
            known = self.sources.get(report.source, SourceRecord(name=report.source))
            self.sources[report.source] = replace(
                known,
                attempted_at=report.finished_at,
                failed_at=report.finished_at,
                outcome=report.outcome,
                error_type=report.error_type,
                error=report.error,
                failures=known.failures + 1,
                duration_ms=report.duration_ms,
                rejected=known.rejected if rejected is None else report.rejected,
            )
            if rejected is not None:
                self.rejected[report.source] = list(rejected)
            self.close_sync(report)

    def retain(self, sources: Iterable[str], now: dt.datetime) -> int:
        with self._held():
            gone = set(self.sources) - set(sources)
            dropped = [key for key, row in self.rows.items() if row.product.source in gone]
            self.bury(dropped, now)
            for name in gone:
                for table in (self.sources, self.leases, self.rejected, self.held, self.shapes, self.beats):
                    table.pop(name, None)
            self.records = {number: record for number, record in self.records.items() if record.source not in gone}
            self.version += bool(dropped)
            return len(dropped)

    def bury(self, ids: Iterable[str], now: dt.datetime) -> None:
        self.tombstones = {key: left for key, left in self.tombstones.items() if left.deleted_at >= now - TOMBSTONES_KEPT}
        for key in ids:
            del self.rows[key]
            self.tombstones[key] = Tombstone(key, self.version + 1, now)

    def _whole(self, record: SourceRecord) -> SourceRecord:
        lease_until = self.leases[record.name][1] if record.name in self.leases else None
        newest = max((sync for sync in self.records.values() if sync.source == record.name), key=lambda s: s.id, default=None)
        last = LastSync(record.name, newest.id, newest.state) if newest else None
        return replace(record, lease_until=lease_until, last_sync=last)
