"""A clock that moves only when it is told to, and the time at which it starts."""

from __future__ import annotations

import datetime as dt

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: dt.datetime = NOW) -> None:
        self.time = now
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return self.time

    def timestamp(self) -> float:
        return self.time.timestamp()

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)
        self.seconds += seconds
