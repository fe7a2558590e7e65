"""Counters of a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service.model import Count

if TYPE_CHECKING:
    from test.fakes.clock import FakeClock


class MemoryCounters:
    """Counters in a dict, by a clock that moves when it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.open: dict[str, tuple[float, int]] = {}

    def add(self, key: str, window: float) -> Count:
        ends, number = self.open.get(key, (0.0, 0))
        now = self.clock.monotonic()
        if ends <= now:
            ends, number = now + window, 0
        self.open[key] = (ends, number + 1)
        return Count(number + 1, ends - now)

    def read(self, key: str) -> Count:
        ends, number = self.open.get(key, (0.0, 0))
        now = self.clock.monotonic()
        return Count(number, ends - now) if ends > now else Count()

    def drop(self, key: str) -> None:
        self.open.pop(key, None)
