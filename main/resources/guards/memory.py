"""A guard book of one process: for trials from a terminal, and for tests."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from main.resources.guards.places import Places
from main.service.model import GuardState

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

T = TypeVar("T")


class MemoryGuardBook:
    """States and places in memory, forgotten when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, GuardState] = {}
        self._places: defaultdict[str, Places] = defaultdict(Places)

    def read(self, source: str) -> GuardState:
        """Give a source's state; that of a source never seen is the default one."""
        return self._states.get(source) or GuardState()

    def read_now(self, source: str) -> GuardState:
        """Give a source's state as it is now."""
        return self.read(source)

    def change(self, source: str, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        """Replace a source's state by what ``step`` makes of it, as one step, and give its answer."""
        with self._lock:
            self._states[source], answer = step(self.read(source))
            return answer

    def note(self, source: str, step: Callable[[GuardState], tuple[GuardState, Any]]) -> None:
        """Do the same without an answer; here that takes no time."""
        self.change(source, step)

    def slot(
        self, source: str, limit: int, deadline: float, closed: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold one of the source's ``limit`` places for calls under way.

        Raises:
            UpstreamTimeout: none was free before the deadline (monotonic seconds).
            UpstreamClosed: ``closed`` was set while none was free.
        """
        with self._lock:
            places = self._places[source]
        return places.held(limit, deadline, closed)
