"""The places of one source for calls under way, counted inside one process, first come first served."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.service.errors import UpstreamClosed, UpstreamTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTEN = 1.0  # seconds a waiter sleeps before it sees whether it was sent away


def refuse_place(deadline: float, closed: threading.Event | None) -> None:
    """Return while a call may wait for a place.

    Raises:
        UpstreamClosed: ``closed`` is set, so that nobody wants the place any more.
        UpstreamTimeout: the deadline (monotonic seconds) has passed.
    """
    if closed is not None and closed.is_set():
        raise UpstreamClosed("The source was closed while a call waited for a place.")
    if time.monotonic() >= deadline:
        raise UpstreamTimeout("No place was free for a call to the source before its deadline.")


class Places:
    """A semaphore whose waiters get their places in the order they came; how many there are is said by each caller."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def held(self, limit: int, deadline: float, closed: threading.Event | None = None) -> Iterator[None]:
        """Hold a place.

        Raises:
            UpstreamTimeout: none was free before the deadline (monotonic seconds).
            UpstreamClosed: ``closed`` was set a second ago at most, while none was free.
        """
        self._enter(limit, deadline, closed)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, limit: int, deadline: float, closed: threading.Event | None) -> None:
        turn = threading.Lock()
        turn.acquire()
        with self._lock:
            if self._taken < limit:
                self._taken += 1
                return
            self._waiting.append(turn)
        # It stays in the line all the while: whoever leaves it to look around comes back behind everybody.
        while not turn.acquire(timeout=min(_LISTEN, max(0.0, deadline - time.monotonic()))):
            try:
                refuse_place(deadline, closed)
            except (UpstreamClosed, UpstreamTimeout):
                if self._leave_line(turn):
                    raise
                return

    def _leave_line(self, turn: threading.Lock) -> bool:
        """Tell whether it was still in the line; whoever is not was handed a place at the last moment, and keeps it."""
        with self._lock:
            waiting = turn in self._waiting
            if waiting:
                self._waiting.remove(turn)
            return waiting

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken -= 1
