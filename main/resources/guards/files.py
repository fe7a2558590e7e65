"""The guard book that all processes of a machine share: a folder with a small file for each source, and one for all places."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from main.resources.guards.fileplaces import FilePlaces, PlaceFile
from main.resources.guards.shared import SharedState
from main.util.threads import try_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from main.service.model import GuardState

T = TypeVar("T")

_PLACES = "places"  # no source's file: those end in .json, .switch
_SHARE = 0.5  # between two times that notes are shared: each takes the time of several looks

_log = structlog.get_logger("guard")


class FileGuardBook:
    """States that outlive processes, and places that the kernel frees when their holder dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._states: dict[str, SharedState] = {}
        self._places: dict[str, FilePlaces] = {}
        self._place_file = PlaceFile(folder / _PLACES)
        self._thread: threading.Thread | None = None

    def read(self, source: str) -> GuardState:
        """Give a source's state as it was a moment ago; that of a source never seen is the default one."""
        return self._state(source).read()

    def read_now(self, source: str) -> GuardState:
        """Give a source's state as it is now: whether its file has changed costs little to see."""
        return self._state(source).read_now()

    def change(self, source: str, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        """Replace a source's state by what ``step`` makes of it, as one step for all processes, and give its answer.

        ``step`` may be taken again when the file could not be had at first. A person's switch survives a power cut.

        Raises:
            Unavailable: the step moves a person's switch, and that cannot be kept now.
        """
        return self._state(source).change(step)

    def note(self, source: str, step: Callable[[GuardState], tuple[GuardState, Any]]) -> None:
        """Take the step within half a second, or with the next change here; a process that is killed before has not taken it."""
        self._state(source).note(step)
        self._start_sharing()

    def slot(
        self, source: str, limit: int, deadline: float, closed: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold one of the source's ``limit`` places for calls under way, counted over all processes of the machine.

        Raises:
            UpstreamTimeout: none was free before the deadline (monotonic seconds).
            UpstreamClosed: ``closed`` was set while none was free.
        """
        places = self._places.get(source)
        if places is None:
            with self._lock:
                places = self._places.setdefault(source, FilePlaces(self._place_file, source))
        return places.held(limit, deadline, closed)

    def _start_sharing(self) -> None:
        with self._lock:
            # Without one, what was noted is shared with the next change, or by the thread that the next note has.
            self._thread = self._thread or try_thread("guards", self._share_notes, _log, "guard.thread_refused")

    def _share_notes(self) -> None:
        """Share what was noted, until nothing more is."""
        while True:
            time.sleep(_SHARE)
            with self._lock:
                noted = [state for state in self._states.values() if state.has_notes]
                if not noted:
                    self._thread = None
                    return
            for state in noted:
                state.change(lambda found: (found, None))

    def _state(self, source: str) -> SharedState:
        state = self._states.get(source)
        if state is None:
            with self._lock:
                state = self._states.setdefault(source, SharedState(self._folder / f"{source}.json"))
        return state
