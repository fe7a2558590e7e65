"""Takes changed sources over while the process runs."""

from __future__ import annotations

import os
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from main.service.model import Reading, Taken, compare_sources
from main.util.threads import try_thread

if TYPE_CHECKING:
    from main.service.ports import Configuration
    from main.service.registry import SourceRegistry
    from main.util.clock import Clock

_LOOK_EVERY = 1.0
_PATIENCE = 0.25

_log = structlog.get_logger("settings")


class Follower:
    """Keeps a registry at what config.yml says, each time a reload is asked for; a faulty file changes nothing."""

    def __init__(self, registry: SourceRegistry, configuration: Configuration, clock: Clock) -> None:
        self._registry = registry
        self._configuration = configuration
        self._clock = clock
        self._seen = configuration.started
        self._next_look = float("-inf")
        self._introduced: int | None = None
        self._lock = threading.Lock()

    def introduce(self) -> None:
        """Let whoever asks for a reload know that this process follows; once a process, so that it is right after a fork too."""
        if self._introduced != os.getpid():
            self._introduced = os.getpid()
            self._configuration.report(Taken(self._seen))

    def look(self) -> None:
        """Notice, at most once a second, that a reload was asked for, and take it in a thread that ends with it.

        Whoever notices waits a moment for it: a worker that was idle meanwhile answers its first request from the new sources
        as a rule. It is never held up for longer.
        """
        now = self._clock.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_EVERY
        self.introduce()
        if self._configuration.mark() != self._seen:
            thread = try_thread("reload", self.follow, _log, "settings.reload_thread_refused")
            if thread is not None:  # else another request tries in a second: the one that noticed has work of its own to do
                thread.join(_PATIENCE)

    def follow(self) -> bool:
        """Take the sources over if a reload was asked for since the last time; tell whether that was done."""
        with self._lock:
            return self._configuration.mark() != self._seen and self._take()

    def reload(self) -> bool:
        """Take the sources over now, and when the file is right, have every other process do the same; tell whether it was."""
        with self._lock:
            taken = self._take()
            # What was asked for by others while the file was being read has everybody follow already, this process included.
            if taken and self._configuration.mark() == self._seen:
                self._seen = self._configuration.announce()
            return taken

    def _take(self) -> bool:
        # The mark first: whatever is asked for while the file is being read is another reload.
        self._seen = self._configuration.mark()
        reading = self._read()
        if reading.faults:
            _log.error("settings.reload_failed", faults=list(reading.faults))
            self._configuration.report(Taken(self._seen, faults=reading.faults))
            return False
        change = compare_sources(self._registry.all(), reading.sources)
        self._registry.replace(reading.sources)
        _log.info("settings.reloaded", **asdict(change))
        if reading.restart:
            _log.warning("settings.restart_needed", sections=list(reading.restart))
        self._configuration.report(Taken(self._seen, change, reading.restart))
        return True

    def _read(self) -> Reading:
        try:
            return self._configuration.read()
        except Exception as error:  # noqa: BLE001 - the process lives on: a file that nobody foresaw is a faulty file
            _log.exception("settings.reload_broke")
            return Reading(faults=(f"config.yml: could not be read ({type(error).__name__}); the log has its trace.",))
