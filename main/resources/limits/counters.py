"""What counts for the limits: a shared storage, and where that does not answer, the machine's own."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog
from cachetools import LRUCache
from limits.errors import StorageError

from main.service.model import Count
from main.util.metrics import COUNTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from limits.storage import Storage

PAUSE = 2.0  # seconds for which a storage that failed is left alone
_KNOWN = 10_000  # windows whose ends a process remembers

_log = structlog.get_logger("limits")


class StorageCounters:
    """Counters in the first of the storages that answers. Where none does, everything counts as the first: nobody is kept out by a fault of ours."""

    def __init__(self, *storages: Storage, prefix: str = "aisle") -> None:
        self._shelves = [_Shelf(storage) for storage in storages]
        self._prefix = prefix

    def add(self, key: str, window: float) -> Count:
        """Count one more and give what that makes; the first one begins a window of so many seconds."""
        return self._ask(lambda shelf: shelf.add(f"{self._prefix}:{key}", window))

    def read(self, key: str) -> Count:
        """Give what was counted in the open window, if there is one."""
        return self._ask(lambda shelf: shelf.read(f"{self._prefix}:{key}"))

    def drop(self, key: str) -> None:
        """End a window."""
        self._ask(lambda shelf: shelf.drop(f"{self._prefix}:{key}"))

    def _ask(self, step: Callable[[_Shelf], Count]) -> Count:
        for shelf in self._shelves:
            found = shelf.ask(step)
            if found is not None:
                return found
        COUNTERS.add("limits.not_counted")
        return Count()


class _Shelf:
    """One storage, and whether it answers."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._ends: LRUCache[str, float] = LRUCache(_KNOWN)
        self._lock = threading.Lock()
        self._resume: float | None = None
        base = storage.base_exceptions
        own: tuple[type[Exception], ...] = base if isinstance(base, tuple) else (base,)
        self._errors: tuple[type[Exception], ...] = (StorageError, OSError, *own)

    def add(self, key: str, window: float) -> Count:
        number = self._storage.incr(key, window)  # type: ignore[arg-type]  # every storage takes fractions, its type says int
        now = time.time()
        with self._lock:
            ends = self._ends.get(key, 0.0)
        if number == 1:
            ends = now + window
        elif ends <= now:
            ends = self._storage.get_expiry(key)
        with self._lock:
            self._ends[key] = ends
        return Count(number, max(0.0, ends - now))

    def read(self, key: str) -> Count:
        number = self._storage.get(key)
        return Count(number, max(0.0, self._storage.get_expiry(key) - time.time())) if number else Count()

    def drop(self, key: str) -> Count:
        self._storage.clear(key)
        with self._lock:
            self._ends.pop(key, None)
        return Count()

    def ask(self, step: Callable[[_Shelf], Count]) -> Count | None:
        """Give what a step gives, or None where the storage does not answer; it is left alone for a while then."""
        if not self._may_ask():
            return None
        try:
            found = step(self)
        except self._errors as error:
            self._note_lost(error)
            return None
        self._note_found()
        return found

    def _may_ask(self) -> bool:
        if self._resume is None:
            return True
        with self._lock:
            now = time.monotonic()
            if self._resume is not None and now < self._resume:
                return False
            # One call tries; the others do without until it has ended or the next pause is over.
            self._resume = now + PAUSE
            return True

    def _note_lost(self, error: Exception) -> None:
        COUNTERS.add("limits.storage_failures")
        with self._lock:
            first, self._resume = self._resume is None, time.monotonic() + PAUSE
        if first:
            _log.warning("limits.storage_lost", storage=type(self._storage).__name__, error=type(error).__name__)

    def _note_found(self) -> None:
        if self._resume is None:
            return
        with self._lock:
            first, self._resume = self._resume is not None, None
        if first:
            _log.info("limits.storage_found", storage=type(self._storage).__name__)
