"""Runs every source's sync on its schedule until told to stop, and follows changes of the sources meanwhile."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from main.service.errors import AisleError
from main.service.model import Outcome
from main.service.switch import is_enabled

if TYPE_CHECKING:
    from collections.abc import Collection

    from main.service.model import Source
    from main.service.ports.guards import GuardBook
    from main.service.registry import SourceRegistry
    from main.service.reload import Follower
    from main.service.sync import SyncService

_LONGEST_NAP = 1.0  # seconds; a source that is asked for, switched on or due by a clock set anew waits no longer
_STOP_NAP = 0.2  # seconds between looks whether to end or to reload
_BUSY_WAIT = timedelta(seconds=5)  # before another try where another process has the source, or the store is down
_START_SPREAD = 1.0  # seconds over which the sources begin, so that they do not all crawl at once
_BEAT_AFTER = 4.0  # seconds; syncs.py takes three missed beats for a watcher that is gone

_log = structlog.get_logger("watch")


@dataclass(slots=True)
class _Watch:
    """A source that is being watched; ``now`` is set until its first crawl where that must not wait for the schedule."""

    source: Source
    now: bool
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)


class Watcher:
    """A thread a source: waits until it is due, syncs it unless it is switched off, and so on.

    ``only`` these sources, where it is not all of them.
    """

    def __init__(
        self,
        sync: SyncService,
        registry: SourceRegistry,
        book: GuardBook,
        follower: Follower | None = None,
        *,
        only: Collection[str] = (),
    ) -> None:
        self._sync = sync
        self._registry = registry
        self._follower = follower
        self._only = only
        self._asked = False
        self._watches: dict[str, _Watch] = {}
        self._drop_at: float | None = None
        self._book = book
        self._beaten: float | None = None

    def ask_reload(self) -> None:
        """Have config.yml read again soon. Only sets a flag, so that a signal handler may call it."""
        self._asked = True

    def run(self) -> None:
        """Watch until the sync service's stop event is set; every crawl in hand has ended then, whatever else went wrong."""
        wanted = self._wanted()
        _log.info("watch.started", sources=list(wanted))
        try:
            if self._follower:
                self._follower.introduce()
            for source in wanted.values():
                self._begin(source, now=False)
            # Not stop.wait(): a signal handler that sets the event runs in this thread and could meet the event's own lock held.
            while not self._sync.stop.is_set():
                self._beat()
                time.sleep(_STOP_NAP)
                self._attend()
        finally:
            self._end(list(self._watches))
            _log.info("watch.stopped")

    def _wanted(self) -> dict[str, Source]:
        chosen = (source for source in self._registry.all() if not self._only or source.name in self._only)
        return {source.name: source for source in chosen}

    def _attend(self) -> None:
        asked, self._asked = self._asked, False
        if self._follower and (self._follower.reload() if asked else self._follower.follow()):
            self._adjust()
            self._drop_at = None if self._only else self._sync.clock.monotonic()
        if self._drop_at is not None and self._sync.clock.monotonic() >= self._drop_at:
            self._drop()

    def _adjust(self) -> None:
        """Begin what is new, end what is gone, begin anew what has changed; the rest goes on undisturbed."""
        wanted = self._wanted()
        outdated = [name for name, watch in self._watches.items() if watch.source != wanted.get(name)]
        for name in outdated:
            self._watches[name].stop.set()
        for name, source in wanted.items():
            if name not in self._watches:
                self._begin(source, now=True)
        self._end(outdated)
        for name in outdated:
            if name in wanted:
                self._begin(wanted[name], now=True)

    def _begin(self, source: Source, *, now: bool) -> None:
        watch = _Watch(source, now)
        watch.thread = threading.Thread(target=self._watch, args=(watch,), name=f"watch-{source.name}")
        watch.thread.start()
        self._watches[source.name] = watch

    def _end(self, names: Collection[str]) -> None:
        for name in names:
            self._watches[name].stop.set()
        for name in names:
            self._watches.pop(name).thread.join()

    def _drop(self) -> None:
        """Drop what belongs to sources that are gone; a store that is down is tried again."""
        try:
            dropped = self._sync.retain(self._registry.all())
        except AisleError as error:
            _log.warning("watch.store_down", error=str(error))
            self._drop_at = self._sync.clock.monotonic() + _BUSY_WAIT.total_seconds()
        else:
            self._drop_at = None
            if dropped:
                _log.info("watch.products_dropped", products=dropped)

    def _beat(self) -> None:
        now = self._sync.clock.monotonic()
        if self._beaten is not None and now - self._beaten < _BEAT_AFTER:
            return
        self._beaten = now
        try:
            self._sync.store.beat(list(self._watches), self._sync.clock.now())
        except AisleError as error:
            _log.warning("watch.store_down", error=str(error))

    def _watch(self, watch: _Watch) -> None:
        source, stop = watch.source, watch.stop
        stop.wait(0 if watch.now else random.uniform(0, _START_SPREAD))  # noqa: S311 - spreads load, keeps no secret
        latest = self._round_from_now(source)
        while not stop.is_set():
            try:
                if not (watch.now or self._wait_until_due(watch, latest)):
                    continue
                if not is_enabled(source, self._book.read(source.name)):
                    stop.wait(_LONGEST_NAP)
                    continue
                report = self._sync.sync(source, stop=stop)
                latest = self._round_from_now(source)
                watch.now = watch.now and report.outcome is Outcome.BUSY
                if report.outcome is Outcome.BUSY:
                    stop.wait(_BUSY_WAIT.total_seconds())
            except AisleError as error:
                _log.warning("watch.store_down", source=source.name, error=str(error))
                stop.wait(_BUSY_WAIT.total_seconds())

    def _round_from_now(self, source: Source) -> float:
        return self._sync.clock.monotonic() + source.every.total_seconds() * 1.1

    def _wait_until_due(self, watch: _Watch, latest: float) -> bool:
        due = self._sync.store.due(watch.source.name)
        left = 0.0 if due is None else (due - self._sync.clock.now()).total_seconds()
        # Never longer than one round, in case the schedule was shortened or the clock set back.
        left = min(left, latest - self._sync.clock.monotonic())
        return not watch.stop.wait(min(max(left, 0.0), _LONGEST_NAP)) and left <= _LONGEST_NAP
