"""When a folder of cached values is swept: now and then, and never at the cost of the request that comes by."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import structlog

from main.service.errors import CacheDown
from main.util.perprocess import PerProcess
from main.util.threads import try_thread

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = 60.0

_log = structlog.get_logger("cache")


class _Turn:
    """Whether a process may sweep: one thread at a time, and a minute after the last one."""

    def __init__(self) -> None:
        self._running = threading.Lock()
        self._next = 0.0

    def take(self) -> bool:
        """Tell whether to sweep now; whoever is told so gives the turn back."""
        if not self._running.acquire(blocking=False):
            return False
        if time.monotonic() >= self._next:
            return True
        self._running.release()
        return False

    def give_back(self) -> None:
        """Let the next one sweep in a minute."""
        self._next = time.monotonic() + EVERY
        self._running.release()


class Sweeper:
    """Sweeps on a thread of its own, which ends with the sweep; each process has its own turn, also after a fork."""

    def __init__(self, sweep: Callable[[], None]) -> None:
        self._sweep = sweep
        self._turns = PerProcess(_Turn)

    def wake(self) -> None:
        """Begin a sweep, unless this process is at it, or was in the last minute. Never waits, and never raises."""
        turn = self._turns.get()
        if not turn.take():
            return
        if try_thread("cache-sweep", partial(self._run, turn), _log, "cache.sweep_failed") is None:
            turn.give_back()  # the next minute may have a thread

    def _run(self, turn: _Turn) -> None:
        try:
            self._sweep()
        except CacheDown as error:
            _log.warning("cache.sweep_failed", error=str(error))
        finally:
            turn.give_back()
