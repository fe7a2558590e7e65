"""One source's state as this process shares it with the others of the machine."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from main.resources.guards.pages import (
    DamagedPage,
    Mark,
    decode_page,
    encode_page,
    keep_switch,
    mark_of,
    read_file,
    read_page,
    read_switch,
    switch_of,
    write_file,
)
from main.service.errors import Unavailable
from main.service.model import GuardState
from main.util.filelocks import locked, try_lock, unlock
from main.util.metrics import TIMINGS

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
_Step = Callable[[GuardState], tuple[GuardState, Any]]

_PATIENCE = 0.1  # for another process's lock, before this one goes on with what it knows
_REFRESH = 0.1  # between two looks at the file
_STUCK = 1.0  # after a wait in vain, the lock is tried without waiting for so long
_MOST_UNSHARED = 1000
_UNSEEN = (0, 0, 0)

_log = structlog.get_logger("guard")


class SharedState:
    """Reads cost next to nothing; a change is one step for all processes, or, while the file cannot be had, one step here.

    A step that could not be shared is kept: it is taken again on the shared state as soon as that can be had. A note is a step that
    waits for the next one that can be shared.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        # One thing, so that nobody ever meets the state of one content with the mark of another.
        self._known: tuple[GuardState, Mark | None] = (GuardState(), _UNSEEN)
        self._damaged = _UNSEEN
        self._refreshed = float("-inf")
        self._unshared: deque[_Step] = deque(maxlen=_MOST_UNSHARED)
        self._notes: deque[_Step] = deque(maxlen=_MOST_UNSHARED)
        self._stuck_until = float("-inf")
        self._warned = False

    def read(self) -> GuardState:
        """Give the state as it was at most a tenth of a second ago."""
        return self.read_now() if time.monotonic() - self._refreshed >= _REFRESH else self._known[0]

    def read_now(self) -> GuardState:
        """Give the state as it is now; while there are steps that cannot be shared, as this process knows it."""
        began = time.monotonic()
        try:
            if self._unshared:
                self._share_rest()
            else:
                self._refresh()
        except OSError as error:
            self._warn_once("guard.state_unreadable", 0.0, error)
        self._refreshed = began  # not before: another thread would take what is known for what was just read
        return self._known[0]

    @property
    def has_notes(self) -> bool:
        """Tell whether steps are noted that wait for a change."""
        return bool(self._notes)

    def note(self, step: _Step) -> None:
        """Have a step taken with the next change that can be shared, before it."""
        self._notes.append(step)

    def change(self, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        """Replace the state by what ``step`` makes of it and give its answer.

        Raises:
            Unavailable: the step moves a person's switch, and that cannot be kept now.
        """
        with self._lock:
            began = time.monotonic()
            patience = 0.0 if began < self._stuck_until else _PATIENCE
            try:
                with locked(self._path, patience, self._find_mark) as file:
                    answer = self._share(file, step)
            except OSError as error:
                if patience:
                    self._stuck_until = time.monotonic() + _STUCK
                self._warn_once("guard.state_not_shared", time.monotonic() - began, error)
                return self._change_here(step)
            return answer

    def _find_mark(self) -> Mark | None:
        try:
            return mark_of(self._path.stat())
        except FileNotFoundError:
            return None

    def _refresh(self) -> None:
        mark = self._find_mark()
        if mark == self._known[1]:
            return
        try:
            content = read_page(self._path, mark[1]) if mark else b""
            self._known = decode_page(content) if content else self._start_afresh(), mark
        except DamagedPage:
            self._refresh_locked()

    def _share_rest(self) -> None:
        """Share what could not be shared before, if that takes no waiting.

        Whoever is held back makes no call, and so no change that would do it.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._if_free(lambda file: self._share(file, lambda state: (state, None)))
        finally:
            self._lock.release()

    def _refresh_locked(self) -> None:
        """Read again under the lock, where nothing is half written; while another process writes, what is known stands."""
        self._if_free(self._learn)

    def _if_free(self, work: Callable[[int], object]) -> None:
        """Do something under the file's lock, if it is to be had without waiting."""
        file = try_lock(self._path)
        if file is not None:
            try:
                work(file)
            finally:
                unlock(file)

    def _learn(self, file: int) -> None:
        self._known = self._read(file)

    def _read(self, file: int) -> tuple[GuardState, Mark]:
        content, mark = read_file(file)
        try:
            return (decode_page(content) if content else self._start_afresh()), mark
        except DamagedPage as error:
            if mark != self._damaged:
                _log.warning("guard.state_damaged", source=self._path.stem, error=str(error))
            self._damaged = mark
            return self._start_afresh(), mark

    def _start_afresh(self) -> GuardState:
        return read_switch(self._switch_path()).put_on(GuardState())

    def _switch_path(self) -> Path:
        return self._path.with_suffix(".switch")

    def _share(self, file: int, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        before, mark = self._read(file)
        state = before
        notes = tuple(self._notes)
        for earlier in (*self._unshared, *notes):
            state, _ = earlier(state)
        state, answer = step(state)
        if state is not before:
            if switch_of(state) != switch_of(before):
                keep_switch(self._switch_path(), switch_of(state))
            mark = write_file(file, encode_page(state), mark)
        self._known, self._refreshed = (state, mark), time.monotonic()
        self._warned = False
        self._unshared.clear()
        for _ in notes:
            self._notes.popleft()
        return answer

    def _change_here(self, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        known, mark = self._known
        after, answer = step(known)
        if switch_of(after) != switch_of(known):
            raise Unavailable("The switch cannot be kept now: the file of the source's guard is not to be had.")
        if after is not known:
            self._unshared.append(step)
            self._known = after, mark
        return answer

    def _warn_once(self, event: str, seconds: float, error: OSError) -> None:
        TIMINGS.record(event, seconds * 1000)
        if not self._warned:  # once for a while in which nothing is shared, not for every call in it
            _log.warning(event, source=self._path.stem, error=str(error))
        self._warned = True
