"""Runs every source's sync on its schedule until told to stop."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from main.service.errors import AisleError
from main.service.model import Outcome
from main.service.switch import is_enabled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.model import Source
    from main.service.ports import GuardBook
    from main.service.sync import SyncService

_LONGEST_NAP = 1.0
_STOP_NAP = 0.2
_BUSY_WAIT = timedelta(seconds=5)
_START_SPREAD = 1.0
_BEAT_AFTER = 4.0

_log = structlog.get_logger("watch")


class Watcher:
    """A thread a source: waits until it is due, syncs it unless it is switched off, and so on."""

    def __init__(self, sync: SyncService, sources: Sequence[Source], book: GuardBook) -> None:
        self._sync = sync
        self._sources = tuple(sources)
        self._book = book
        self._beaten: float | None = None

    def run(self) -> None:
        """Watch until the sync service's stop event is set and every crawl in hand has ended."""
        _log.info("watch.started", sources=[source.name for source in self._sources])
        threads = [
            threading.Thread(target=self._watch, args=(source,), name=f"watch-{source.name}") for source in self._sources
        ]
        for thread in threads:
            thread.start()
        # Not stop.wait(): a signal handler that sets the event runs in this thread and could meet the event's own lock held.
        while not self._sync.stop.is_set():
            self._beat()
            time.sleep(_STOP_NAP)
        for thread in threads:
            thread.join()
        _log.info("watch.stopped")

    def _beat(self) -> None:
        now = self._sync.clock.monotonic()
        if self._beaten is not None and now - self._beaten < _BEAT_AFTER:
            return
        self._beaten = now
        try:
            self._sync.store.beat([source.name for source in self._sources], self._sync.clock.now())
        except AisleError as error:
            _log.warning("watch.store_down", error=str(error))

    def _watch(self, source: Source) -> None:
        stop = self._sync.stop
        stop.wait(random.uniform(0, _START_SPREAD))  # noqa: S311 - spreads load, keeps no secret
        latest = self._round_from_now(source)
        while not stop.is_set():
            try:
                if not self._wait_until_due(source, latest):
                    continue
                if not is_enabled(source, self._book.read(source.name)):
                    stop.wait(_LONGEST_NAP)
                    continue
                report = self._sync.sync(source)
                latest = self._round_from_now(source)
                if report.outcome is Outcome.BUSY:
                    stop.wait(_BUSY_WAIT.total_seconds())
            except AisleError as error:
                _log.warning("watch.store_down", source=source.name, error=str(error))
                stop.wait(_BUSY_WAIT.total_seconds())

    def _round_from_now(self, source: Source) -> float:
        return self._sync.clock.monotonic() + source.every.total_seconds() * 1.1

    def _wait_until_due(self, source: Source, latest: float) -> bool:
        due = self._sync.store.due(source.name)
        left = 0.0 if due is None else (due - self._sync.clock.now()).total_seconds()
        # Never longer than one round, in case the schedule was shortened or the clock set back.
        left = min(left, latest - self._sync.clock.monotonic())
        return not self._sync.stop.wait(min(max(left, 0.0), _LONGEST_NAP)) and left <= _LONGEST_NAP
