"""The cache inside a process: bounded by bytes, each value for its own time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cachetools import TLRUCache

from main.resources.cache.entries import bound_seconds, name_lock, name_value
from main.util.clock import Clock, SystemClock
from main.util.perprocess import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 32 * 1024 * 1024
_OVERHEAD = 400  # what a key, an end and their places cost beside the value, roughly
_MOST_LOCKS = 100_000

# Something kept, and the end of its time in monotonic seconds.
_Entry = tuple[bytes, float]
_Held = tuple[str, float]


class _Tables:
    """What one process has: values and locks, and the lock that guards both."""

    def __init__(self, size: int, timer: Callable[[], float]) -> None:
        self.guard = threading.Lock()
        self.values: TLRUCache[str, _Entry] = TLRUCache(size, _end_of_value, timer=timer, getsizeof=_weigh)
        self.locks: TLRUCache[str, _Held] = TLRUCache(_MOST_LOCKS, _end_of_lock, timer=timer)


def _end_of_value(_: str, entry: _Entry, __: float) -> float:
    return entry[1]


def _end_of_lock(_: str, held: _Held, __: float) -> float:
    return held[1]


def _weigh(entry: _Entry) -> int:
    return len(entry[0]) + _OVERHEAD


class MemoryCache:
    """Values of this process alone; the least recently used go when ``size`` bytes are full. It is never down."""

    def __init__(self, size: int = SIZE, *, clock: Clock | None = None) -> None:
        self._size = size
        self._clock = clock or SystemClock()
        self._tables = PerProcess(lambda: _Tables(size, self._clock.monotonic))

    def open(self) -> None:
        """Do nothing: it is always open."""

    def ping(self) -> None:
        """Return: it always works."""

    def close(self) -> None:
        """Forget everything."""
        self._tables.drop()

    def get(self, key: str) -> bytes | None:
        """Give the value, or None where there is none or its time is over."""
        tables = self._tables.get()
        with tables.guard:
            entry = tables.values.get(name_value(key))
        return entry[0] if entry else None

    def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value for that long; one larger than the whole cache is not kept."""
        tables, name = self._tables.get(), name_value(key)
        entry = (bytes(value), self._clock.monotonic() + bound_seconds(seconds))
        with tables.guard:
            if _weigh(entry) > self._size:
                tables.values.pop(name, None)
            else:
                tables.values[name] = entry  # which drops the older one where the time is over already

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""
        tables = self._tables.get()
        with tables.guard:
            tables.values.pop(name_value(key), None)

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        """Take the lock of this name, or renew it where the owner has it; False while another owner's is alive."""
        tables, name = self._tables.get(), name_lock(key)
        with tables.guard:
            holder = tables.locks.get(name)
            if holder is not None and holder[0] != owner:
                return False
            tables.locks[name] = (owner, self._clock.monotonic() + bound_seconds(seconds))
            return True

    def unlock(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's."""
        tables, name = self._tables.get(), name_lock(key)
        with tables.guard:
            holder = tables.locks.get(name)
            if holder is not None and holder[0] == owner:
                tables.locks.pop(name, None)
