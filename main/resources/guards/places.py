"""The places of one source for calls under way, counted inside one process, first come first served."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.service.errors import UpstreamTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator

NONE_FREE = "No place was free for a call to the source before its deadline."


class Places:
    """A semaphore whose waiters get their places in the order they came; how many there are is said by each caller."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def held(self, limit: int, deadline: float) -> Iterator[None]:
        """Hold a place.

        Raises:
            UpstreamTimeout: none was free before the deadline (monotonic seconds).
        """
        self._enter(limit, deadline)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, limit: int, deadline: float) -> None:
        turn = threading.Lock()
        turn.acquire()
        with self._lock:
            if self._taken < limit:
                self._taken += 1
                return
            self._waiting.append(turn)
        if not turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
            self._give_up(turn)

    def _give_up(self, turn: threading.Lock) -> None:
        with self._lock:
            # Whoever is no longer in the line was handed a place at the last moment, and keeps it.
            if turn in self._waiting:
                self._waiting.remove(turn)
                raise UpstreamTimeout(NONE_FREE)

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken -= 1
