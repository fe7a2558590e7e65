"""What guards keep of each source."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.service.errors import UpstreamClosed, UpstreamTimeout
from main.service.model import GuardState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


class MemoryGuardBook:
    """Guards' states in memory; a source's places are counted in this process only."""

    def __init__(self, **states: GuardState) -> None:
        self.states: dict[str, GuardState] = dict(states)
        self._calls: dict[str, int] = {}
        self._lock = threading.RLock()

    def read(self, source: str) -> GuardState:
        with self._lock:
            return self.states.get(source, GuardState())

    def read_now(self, source: str) -> GuardState:
        return self.read(source)

    def change(self, source: str, step: Callable[[GuardState], tuple[GuardState, Any]]) -> Any:
        with self._lock:
            self.states[source], answer = step(self.read(source))
            return answer

    def note(self, source: str, step: Callable[[GuardState], tuple[GuardState, Any]]) -> None:
        self.change(source, step)

    @contextmanager
    def slot(self, source: str, limit: int, deadline: float, closed: threading.Event | None = None) -> Iterator[None]:
        while not self._take(source, limit):
            if closed is not None and closed.is_set():
                raise UpstreamClosed("The source was closed meanwhile.")
            if time.monotonic() >= deadline:
                raise UpstreamTimeout("No place was free in time.")
            time.sleep(0.005)
        try:
            yield
        finally:
            with self._lock:
                self._calls[source] -= 1

    def _take(self, source: str, limit: int) -> bool:
        with self._lock:
            free = self._calls.get(source, 0) < limit
            self._calls[source] = self._calls.get(source, 0) + free
            return free
