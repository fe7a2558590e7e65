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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.resources.upstream.lines import Plug

_LINGER = 1.0  # seconds without a call, so that calls one after the other share a thread
_CALL = threading.local()


class WatchedCall:
    """One call under way: its deadline (monotonic seconds) and, once there is one, the plug of its connection."""

    def __init__(self, deadline: float, names: Names | None = None) -> None:
        self.deadline = deadline
        self.names = names or Names()
        self.ended = False
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

    def detach(self) -> None:
        """Stop watching; the connection stays as it is."""
        with self._lock:
            self._plug = None


def current_call() -> WatchedCall | None:
    """Give the call that this thread makes, if it is watched."""
    return getattr(_CALL, "current", None)


class Watchdog:
    """One thread for all calls of a process: started by the first of them, so after any fork, and gone when none is left."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()
        self._calls: set[WatchedCall] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._looks_at = 0.0

    @contextmanager
    def watching(self, deadline: float) -> Iterator[WatchedCall]:
        """Watch the call that this thread makes inside, until the deadline (monotonic seconds)."""
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

    def _enter(self, call: WatchedCall) -> None:
        with self._condition:
            self._calls.add(call)
            if self._thread is None or not self._thread.is_alive():
                self._looks_at = 0.0
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif call.deadline < self._looks_at:  # else it wakes in time, and need not be woken for each call
                self._condition.notify()

    def _run(self) -> None:
        while (late := self._wait_for_late()) is not None:
            for call in late:
                call.end()

    def _wait_for_late(self) -> list[WatchedCall] | None:
        with self._condition:
            now = time.monotonic()
            if not self._calls:
                self._sleep(now + _LINGER)
                if not self._calls and time.monotonic() >= now + _LINGER:
                    self._thread = None
                    return None
            now = time.monotonic()
            late = [call for call in self._calls if call.deadline <= now]
            self._calls.difference_update(late)
            if not late and self._calls:
                self._sleep(min(call.deadline for call in self._calls))
            return late

    def _sleep(self, until: float) -> None:
        self._looks_at = until
        self._condition.wait(until - time.monotonic())
