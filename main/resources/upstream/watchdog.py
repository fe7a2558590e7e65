"""Ends calls at their deadline, whatever they are waiting for: a handshake, headers or a body that drips.

``requests`` knows only a timeout per socket operation, which a shop that sends a byte a second never meets. Here one thread shuts the
connection down when its call's time has come; the thread that waits on it gets an error at once.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.resources.upstream.names import Names
from main.service.errors import UpstreamClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from main.resources.upstream.lines import Plug

_QUIET = 3.0  # seconds without a call after which the thread ends, so that calls one after the other share one
_GLANCE = 1.0  # between two times that it sees whether there are calls; to be woken by each would cost them a switch of threads
_CALL = threading.local()


class WatchedCall:
    """One call under way: its deadline (monotonic seconds) and, once there is one, the plug of its connection."""

    def __init__(self, deadline: float, names: Names | None = None) -> None:
        self.deadline = deadline
        self.names = names or Names()
        self.ended = False
        self.given_up = False
        self._plug: Plug | None = None
        self._lock = threading.Lock()

    def attach(self, plug: Plug) -> None:
        """Watch this connection; a call that was ended before it had one is ended here."""
        with self._lock:
            self._plug = plug
            if self.ended:
                plug.pull()

    def end(self) -> None:
        """Shut the connection down."""
        with self._lock:
            self.ended = True
            if self._plug is not None:
                self._plug.pull()

    def give_up(self) -> None:
        """Shut the connection down because nobody wants the answer any more."""
        self.given_up = True
        self.end()

    def detach(self) -> None:
        """Stop watching; the connection stays as it is."""
        with self._lock:
            self._plug = None


def current_call() -> WatchedCall | None:
    """Give the call that this thread makes, if it is watched."""
    return getattr(_CALL, "current", None)


class Watchdog:
    """One thread for all calls of a process: started by the first of them, so after any fork, and gone three seconds after the last."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()
        self._calls: set[WatchedCall] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._looks_at = 0.0
        self._used_at = 0.0
        self._when_quiet: set[Callable[[], None]] = set()

    def when_quiet(self, work: Callable[[], None]) -> None:
        """Have something done each time when there has been no call for three seconds."""
        with self._condition:
            self._when_quiet.add(work)

    def forget(self, work: Callable[[], None]) -> None:
        """Have it done no more."""
        with self._condition:
            self._when_quiet.discard(work)

    @contextmanager
    def watching(self, deadline: float) -> Iterator[WatchedCall]:
        """Watch the call that this thread makes inside, until the deadline (monotonic seconds).

        Raises:
            UpstreamClosed: there is no thread to watch it, so it is not to be made; that says nothing about the shop.
        """
        call = WatchedCall(deadline, self._names)
        self._enter(call)
        _CALL.current = call
        try:
            yield call
        finally:
            _CALL.current = None
            call.detach()
            with self._condition:
                self._calls.discard(call)
                self._used_at = time.monotonic()

    def _enter(self, call: WatchedCall) -> None:
        with self._condition:
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._start()  # which waits for the lock before it looks for calls
            self._calls.add(call)
            self._used_at = time.monotonic()
            if call.deadline < self._looks_at:  # else it wakes in time, and need not be woken for each call
                self._condition.notify()

    def _start(self) -> threading.Thread:
        self._looks_at = 0.0
        thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise UpstreamClosed("There is no thread to watch a call to the shop.") from error
        return thread

    def _run(self) -> None:
        while (late := self._wait_for_late()) is not None:
            for call in late:
                call.end()
        with self._condition:
            due = list(self._when_quiet)
        for work in due:
            work()

    def _wait_for_late(self) -> list[WatchedCall] | None:
        with self._condition:
            now = time.monotonic()
            if not self._calls and now >= self._used_at + _QUIET:
                self._thread = None
                return None
            late = [call for call in self._calls if call.deadline <= now]
            self._calls.difference_update(late)
            if not late:
                self._sleep(min([now + _GLANCE, *(call.deadline for call in self._calls)]))
            return late

    def _sleep(self, until: float) -> None:
        self._looks_at = until
        self._condition.wait(until - time.monotonic())
