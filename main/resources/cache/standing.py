"""How the shared tier stands: whether to ask it, or to leave it alone for a while after it failed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from main.util.metrics import COUNTERS

if TYPE_CHECKING:
    from main.service.errors import CacheDown
    from main.util.clock import Clock

FIRST_PAUSE = 1.0
# A tier that is back is found within 5 s, the time that the failing try itself takes included.
LONGEST_PAUSE = 4.5

_log = structlog.get_logger("cache")


class Standing:
    """Of one process; safe to use from many threads.

    While the tier is lost, one call at a time is let through as a probe when its pause is over; every other one is told to do
    without. The pause counts from the start of the probe, and doubles with each.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pause = FIRST_PAUSE
        self._resume: float | None = None

    def may_ask(self) -> bool:
        """Tell whether to ask the tier now; one that is lost is asked by whoever is told so, and by nobody else meanwhile."""
        with self._lock:
            if self._resume is None:
                return True
            now = self._clock.monotonic()
            if now < self._resume:
                return False
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._resume = now + self._pause
            return True

    def note_lost(self, error: CacheDown) -> None:
        """Note that a call failed; said once, when the tier was not lost before."""
        COUNTERS.add("cache.tier_failures")
        with self._lock:
            first = self._resume is None
            if first:
                self._pause = FIRST_PAUSE
                self._resume = self._clock.monotonic() + FIRST_PAUSE
        if first:
            _log.warning("cache.tier_lost", error=str(error))

    def note_found(self) -> None:
        """Note that a call was answered; said once, when the tier was lost before."""
        if self._resume is None:
            return
        with self._lock:
            first, self._resume = self._resume is not None, None
        if first:
            _log.info("cache.tier_found")
