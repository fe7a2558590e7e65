"""The record of syncs that a catalogue in memory keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from main.service.model import Outcome, SourceRecord, SyncRecord, SyncState
from test.fakes.shelves import Shelves

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from main.service.model import Shape, SyncReport

KEPT_SYNCS = 200
FIGURES = (
    "pages",
    "received",
    "total",
    "products",
    "rejected",
    "created",
    "updated",
    "deleted",
    "error_type",
    "error",
    "version",
)


class SyncBook(Shelves):
    """Which syncs were asked for, run and ended, and when each source is due."""

    def syncs(self, source: str, page: int, per_page: int) -> tuple[Sequence[SyncRecord], int]:
        with self._held():
            found = [record for _, record in sorted(self.records.items(), reverse=True) if record.source == source]
            return found[(page - 1) * per_page : page * per_page], len(found)

    def sync(self, source: str, number: int) -> SyncRecord | None:
        with self._held():
            found = self.records.get(number)
            return found if found and found.source == source else None

    def watched_at(self, source: str) -> dt.datetime | None:
        with self._held():
            return self.beats.get(source)

    def request(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        with self._held():
            self.sources.setdefault(source, SourceRecord(name=source))
            waiting = self._one(source, SyncState.REQUESTED)
            if waiting is None:
                return self._add(SyncRecord(id=0, source=source, state=SyncState.REQUESTED, force=force, requested_at=now))
            self.records[waiting.id] = replace(waiting, force=waiting.force or force)
            return self.records[waiting.id]

    def begin(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        with self._held():
            left = self._one(source, SyncState.RUNNING)
            if left is not None:
                why = "The process that ran it ended before the sync did."
                self.records[left.id] = replace(left, state=SyncState.STOPPED, finished_at=now, error=why)
            waiting = self._one(source, SyncState.REQUESTED)
            if waiting is None:
                return self._add(SyncRecord(id=0, source=source, state=SyncState.RUNNING, force=force, started_at=now))
            self.schedule(source, now)
            taken = replace(waiting, state=SyncState.RUNNING, force=waiting.force or force, started_at=now)
            self.records[taken.id] = taken
            return taken

    def progress(self, report: SyncReport) -> None:
        with self._held():
            self._write(report, SyncState.RUNNING, None)

    def abandon(self, report: SyncReport) -> None:
        with self._held():
            self._end(report, SyncState.HELD_BACK if report.outcome is Outcome.HELD_BACK else SyncState.STOPPED)

    def shape(self, source: str) -> Shape | None:
        with self._held():
            return self.shapes.get(source)

    def beat(self, sources: Iterable[str], now: dt.datetime) -> None:
        with self._held():
            self.beats.update(dict.fromkeys(sources, now))

    def close_sync(self, report: SyncReport) -> None:
        self._end(report, SyncState(report.outcome))
        if report.outcome is Outcome.OK and report.shape is not None and report.shape.records:
            self.shapes[report.source] = report.shape
        if report.drift is not None:
            known = self.sources.get(report.source, SourceRecord(name=report.source))
            self.sources[report.source] = replace(known, drift=report.drift)

    def schedule(self, source: str, at: dt.datetime) -> None:
        with self._held():
            self.sources[source] = replace(self.sources.get(source, SourceRecord(name=source)), next_sync_at=at)

    def due(self, source: str) -> dt.datetime | None:
        with self._held():
            waiting = self._one(source, SyncState.REQUESTED)
            if waiting is not None:
                return waiting.requested_at
            return self.sources[source].next_sync_at if source in self.sources else None

    def failures(self, source: str) -> int:
        with self._held():
            return self.sources[source].failures if source in self.sources else 0

    def _one(self, source: str, state: SyncState) -> SyncRecord | None:
        return next((sync for sync in self.records.values() if (sync.source, sync.state) == (source, state)), None)

    def _add(self, record: SyncRecord) -> SyncRecord:
        self.numbers += 1
        self.records[self.numbers] = replace(record, id=self.numbers)
        numbers = sorted(number for number, sync in self.records.items() if sync.source == record.source)
        for number in numbers[:-KEPT_SYNCS]:
            del self.records[number]
        return self.records[self.numbers]

    def _end(self, report: SyncReport, state: SyncState) -> None:
        number = report.id
        if number is None:
            begun = SyncRecord(id=0, source=report.source, state=SyncState.RUNNING, started_at=report.started_at)
            number = self._add(begun).id
        self._write(replace(report, id=number), state, report.finished_at)

    def _write(self, report: SyncReport, state: SyncState, finished_at: dt.datetime | None) -> None:
        known = self.records.get(report.id or 0)
        if known is not None and known.state is SyncState.RUNNING:
            figures = {name: getattr(report, name) for name in FIGURES}
            self.records[known.id] = replace(known, state=state, finished_at=finished_at, **figures)
