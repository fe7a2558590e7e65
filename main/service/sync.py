"""Crawls sources into new snapshots: leased, all or nothing, and suspicious of a shop that suddenly has little."""

from __future__ import annotations

import os
import random
import socket
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from main.service.crawl import Crawl, Tally
from main.service.errors import AisleError, CrawlStopped, LeaseLost, NothingValid, UpstreamHeld
from main.service.fanout import crawl_pages, run_together
from main.service.model import Outcome, SyncReport
from main.service.shape import find_drift
from main.util.ids import new_id
from main.util.logs import request_context
from main.util.timed import timed

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Iterable, Sequence

    from main.service.model import Product, Rejected, Source
    from main.service.ports import CatalogueWriter, Staging
    from main.service.ports.upstream import Connector
    from main.util.clock import Clock

LEASE = timedelta(seconds=30)
_RENEW_AFTER = timedelta(seconds=10)
_NOTE_AFTER = 1.0
_FIRST_RETRY = timedelta(seconds=5)
_HELD_RETRY = timedelta(seconds=30)
_JITTER = 0.1
_SHRINK = 0.5

_log = structlog.get_logger("sync")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the crawl of a source is: pages and records so far, and how many records the shop says it has."""

    source: str
    pages: int
    records: int
    total: int | None


class Aftermath(Protocol):
    """What is kept in line with the catalogue elsewhere. No method raises AisleError: what cannot be done now is made up for."""

    def follow(self, source: Source, report: SyncReport) -> None:
        """Take note of a source whose sync has ended."""

    def forget(self, kept: Collection[str]) -> None:
        """Take note that there are no other sources than those of these names any more."""


class SyncService:
    """Syncs sources, one at a time or all together; ``after`` is told each report, when the source is free again."""

    def __init__(
        self,
        store: CatalogueWriter,
        connect: Callable[[Source], Connector],
        dump: Callable[[Product], bytes],
        clock: Clock,
        stop: threading.Event,
        *,
        after: Aftermath | None = None,
    ) -> None:
        self.clock = clock
        self.stop = stop
        self.store = store
        self._connect = connect
        self._dump = dump
        self._after = after
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{new_id()[:8]}"

    def sync_all(
        self, sources: Sequence[Source], *, force: bool = False, on_progress: Callable[[Progress], None] | None = None
    ) -> list[SyncReport]:
        """Sync several sources in parallel and give their reports in the same order."""
        return run_together(lambda source: self.sync(source, force=force, on_progress=on_progress), sources)

    @timed
    def sync(
        self,
        source: Source,
        *,
        force: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> SyncReport:
        """Sync one source and give the report, whatever happened; a failure leaves the last good snapshot in place.

        ``stop`` ends this crawl alone; without it, it is the one of the whole process.
        """
        started = self.clock.now()
        report = SyncReport(source=source.name, outcome=Outcome.OK, started_at=started, finished_at=started)
        with request_context(new_id()):
            if not self.store.acquire(source.name, self._owner, started + LEASE, started):
                _log.info("source.busy", source=source.name)
                return replace(report, outcome=Outcome.BUSY, error="Another process is syncing this source.")
            try:
                begun = self.store.begin(source.name, started, force=force)
                report = replace(report, id=begun.id)
                shown = on_progress or (lambda _: None)
                done = self._attempt(source, report, force=begun.force, on_progress=shown, stop=stop or self.stop)
                self._plan_next(source, done)
            finally:
                self.store.release(source.name, self._owner)
            if self._after is not None:
                self._after.follow(source, done)
            return done

    def retain(self, sources: Iterable[Source]) -> int:
        """Drop what belongs to sources that are no longer among these; give how many products that were.

        Raises:
            StoreDown: the catalogue cannot be written.
        """
        kept = {source.name for source in sources}
        dropped = self.store.retain(kept, self.clock.now())
        if self._after is not None:
            self._after.forget(kept)
        return dropped

    def _attempt(
        self,
        source: Source,
        report: SyncReport,
        *,
        force: bool,
        on_progress: Callable[[Progress], None],
        stop: threading.Event,
    ) -> SyncReport:
        _log.info("source.sync_started", source=source.name, sync=report.id)
        tally = Tally()
        try:
            with closing(self._connect(source)) as connector, self.store.stage(source.name) as staging:
                crawl = Crawl(source, connector, staging, self._dump, tally)
                tick = self._ticker(source.name, lambda: self._staged(report, tally, staging))
                pages = crawl_pages(connector, source.concurrency, stop, tick)
                crawl.run(pages, lambda t: on_progress(Progress(source.name, t.pages, t.received, t.total)))
                return self._finish(staging, self._staged(report, tally, staging), tally, force=force)
        except CrawlStopped as error:
            return self._given_up(self._counted(report, tally), Outcome.STOPPED, str(error))
        except LeaseLost as error:
            return self._given_up(self._counted(report, tally), Outcome.BUSY, str(error))
        except UpstreamHeld as error:
            return self._held_back(self._counted(report, tally), error)
        except AisleError as error:
            failed = replace(report, error_type=type(error).__name__, error=str(error))
            failed = replace(failed, retry_after=getattr(error, "retry_after", None))
            return self._failed(failed, tally, tally.rejected if isinstance(error, NothingValid) else None)
        except Exception as error:  # noqa: BLE001 - the watcher lives on: a defect met by one source must not end the others' syncs
            _log.exception("source.sync_broke", source=source.name)
            text = "An error inside Aisle; the log has its trace."
            return self._failed(replace(report, error_type=type(error).__name__, error=text), tally)

    def _counted(self, report: SyncReport, tally: Tally) -> SyncReport:
        return replace(
            report,
            finished_at=self.clock.now(),
            pages=tally.pages,
            received=tally.received,
            total=tally.total,
            rejected=tally.rejected_count,
        )

    def _staged(self, report: SyncReport, tally: Tally, staging: Staging) -> SyncReport:
        return replace(self._counted(report, tally), products=staging.counts()[1])

    def _shaped(self, report: SyncReport, tally: Tally) -> SyncReport:
        shape = tally.sketch.shape
        good = self.store.shape(report.source) if shape.records else None
        drift = find_drift(good, shape, report.finished_at) if good else None
        if drift is not None:
            names = {"new": drift.new, "missing": drift.missing, "retyped": drift.retyped}
            _log.warning("source.shape_drifted", source=report.source, **names)
        return replace(report, shape=shape, drift=drift)

    def _finish(self, staging: Staging, report: SyncReport, tally: Tally, *, force: bool) -> SyncReport:
        before, now = staging.counts()
        if tally.received and not (before or now):
            raise NothingValid(tally.received)  # an empty catalogue that calls itself good helps nobody
        report = self._shaped(report, tally)
        # An empty shop is believed the second time; one whose records are all wrong has changed its ways, not its products.
        credible = now or not tally.received
        if now < before * _SHRINK and not force and not (credible and staging.held_agrees()):
            text = (
                f"The crawl found {now} products where the snapshot has {before}; it waits for a second one that agrees."
                if credible
                else f"Not one of its {tally.received} records is a valid product; the {before} products of the snapshot stay."
            )
            held = replace(report, outcome=Outcome.HELD, error_type="Shrunk", error=text)
            staging.hold(held)
            _log.warning("source.sync_held", source=report.source, before=before, now=now, rejected=tally.rejected_count)
            return held
        done = replace(staging.commit(report, tally.rejected, self._owner), finished_at=self.clock.now())
        _log.info(
            "source.synced",
            source=done.source,
            products=done.products,
            rejected=done.rejected,
            created=done.created,
            updated=done.updated,
            deleted=done.deleted,
            version=done.version,
            duration_ms=done.duration_ms,
        )
        return done

    def _held_back(self, report: SyncReport, error: UpstreamHeld) -> SyncReport:
        """Give the report of a crawl whose calls were held back: no news of the shop, so its last real error stays on record."""
        kind, wait = type(error).__name__, error.retry_after
        _log.info("source.sync_held_back", source=report.source, error_type=kind, error=str(error), retry_after=wait)
        return self._given_up(replace(report, error_type=kind, retry_after=wait), Outcome.HELD_BACK, str(error))

    def _failed(self, report: SyncReport, tally: Tally, rejected: Sequence[Rejected] | None = None) -> SyncReport:
        _log.warning(
            "source.sync_failed",
            source=report.source,
            error_type=report.error_type,
            error=report.error,
            retry_after=report.retry_after,
        )
        failed = self._shaped(replace(self._counted(report, tally), outcome=Outcome.FAILED), tally)
        self.store.record(failed, rejected)
        return failed

    def _given_up(self, report: SyncReport, outcome: Outcome, text: str) -> SyncReport:
        report = replace(report, outcome=outcome, error=text)
        self.store.abandon(report)
        return report

    def _ticker(self, source: str, measure: Callable[[], SyncReport]) -> Callable[[], None]:
        renew, noted = self._renewer(source), self.clock.monotonic()

        def tick() -> None:
            nonlocal noted
            renew()
            now = self.clock.monotonic()
            if now - noted >= _NOTE_AFTER:
                self.store.progress(measure())
                noted = now

        return tick

    def _renewer(self, source: str) -> Callable[[], None]:
        renewed = self.clock.now()

        def renew() -> None:
            nonlocal renewed
            now = self.clock.now()
            if now - renewed >= _RENEW_AFTER:
                if not self.store.acquire(source, self._owner, now + LEASE, now):
                    raise LeaseLost("Another process has taken over this source.")
                renewed = now

        return renew

    def _plan_next(self, source: Source, report: SyncReport) -> None:
        if report.outcome in {Outcome.STOPPED, Outcome.BUSY}:
            return
        luck = random.uniform(-1, 1)  # noqa: S311 - no secret
        if report.outcome is Outcome.HELD_BACK:
            wait = held_wait(source, luck, report.retry_after)
        else:
            failures = self.store.failures(source.name) if report.outcome is Outcome.FAILED else 0
            wait = next_wait(source, failures, luck, report.retry_after)
        self.store.schedule(source.name, self.clock.now() + wait)


def next_wait(source: Source, failures: int, luck: float, retry_after: float | None = None) -> timedelta:
    """Give how long to wait until the next sync: ``every``, or after failures a wait that doubles up to ``every``.

    A held crawl is no failure: its second opinion comes a whole round later, so that one bad moment of a shop cannot agree
    with itself. ``luck`` of -1..1 moves the wait by a tenth, so that sources and machines do not march in step; it is never
    shorter than the ``retry_after`` seconds the shop asked for.
    """
    wait = source.every if failures == 0 else min(source.every, _FIRST_RETRY * 2 ** min(failures - 1, 16))
    return max(wait * (1 + _JITTER * luck), timedelta(seconds=retry_after or 0))


def held_wait(source: Source, luck: float, retry_after: float | None) -> timedelta:
    """Give how long to wait until a sync that was held back is tried again.

    Just past ``retry_after``, or half a minute where only a person knows; ``luck`` of -1..1 spreads it over a tenth more.
    """
    wait = min(source.every, _HELD_RETRY) if retry_after is None else timedelta(seconds=retry_after)
    return wait * (1 + _JITTER * (luck + 1) / 2)
