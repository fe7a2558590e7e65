"""Counters of this process: how often, how long."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How often something ran and how long it took, in milliseconds."""

    count: int
    mean_ms: float
    max_ms: float


class Timings:
    """Durations by name; safe to feed from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[int, float, float]] = {}

    def record(self, name: str, milliseconds: float) -> None:
        """Count one run of ``name``."""
        with self._lock:
            count, total, longest = self._rows.get(name, (0, 0.0, 0.0))
            self._rows[name] = (count + 1, total + milliseconds, max(longest, milliseconds))

    def snapshot(self) -> dict[str, Timing]:
        """Give what was counted so far, by name."""
        with self._lock:
            rows = dict(self._rows)
        return {
            name: Timing(count, round(total / count, 3), round(longest, 3))
            for name, (count, total, longest) in sorted(rows.items())
        }


class Counters:
    """How often something happened, by name; safe to feed from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, name: str, amount: int = 1) -> None:
        """Count ``name`` that many times more."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + amount

    def snapshot(self) -> dict[str, int]:
        """Give what was counted so far, by name."""
        with self._lock:
            return dict(sorted(self._counts.items()))


# One a process on purpose: a decorator is applied at import, long before anything is built that could own it.
TIMINGS = Timings()
COUNTERS = Counters()
