"""Ends calls at their deadline, whatever they are waiting for: a handshake, headers or a body that drips.

``requests`` knows only a timeout per socket operation, which a shop that sends a byte a second never meets. Here one thread shuts the
connection down when its call's time has come; the thread that waits on it gets an error at once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINGER = 1.0  # seconds without a call, so that calls one after the other share a thread
_CALL = threading.local()


class WatchedCall:
    """One call under way: its deadline (monotonic seconds) and, once there is one, its connection."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.ended = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def attach(self, connection: socket.socket) -> None:
        """Watch this connection; a call that was ended before it had one is ended here."""
        # A duplicate of the descriptor stays valid while TLS wraps the socket, and cannot be mistaken for a later one of the same number.
        with self._lock:
            self._release()
            self._socket = socket.socket(fileno=os.dup(connection.fileno()))
            if self.ended:
                self._shut()

    def end(self) -> None:
        """Shut the connection down."""
        with self._lock:
            self.ended = True
            self._shut()

    def detach(self) -> None:
        """Stop watching; the connection stays as it is."""
        with self._lock:
            self._release()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the shop was quicker and has closed it
                self._socket.shutdown(socket.SHUT_RDWR)

    def _release(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Watchdog:
    """One thread for all calls of a process: started by the first of them, so after any fork, and gone when none is left."""

    def __init__(self) -> None:
        self._calls: set[WatchedCall] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, deadline: float) -> Iterator[WatchedCall]:
        """Watch the call that this thread makes inside, until the deadline (monotonic seconds)."""
        call = WatchedCall(deadline)
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
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            self._condition.notify()

    def _run(self) -> None:
        while (late := self._wait_for_late()) is not None:
            for call in late:
                call.end()

    def _wait_for_late(self) -> list[WatchedCall] | None:
        with self._condition:
            if not self._calls and not self._condition.wait_for(lambda: self._calls, _LINGER):
                self._thread = None
                return None
            now = time.monotonic()
            late = [call for call in self._calls if call.deadline <= now]
            self._calls.difference_update(late)
            if not late and self._calls:
                self._condition.wait(min(call.deadline for call in self._calls) - now)
            return late


def _attach(connection: socket.socket | None) -> None:
    call: WatchedCall | None = getattr(_CALL, "current", None)
    if call is not None and connection is not None:
        call.attach(connection)


class _Watched:
    """Shows a connection to the watchdog: when it is made, before TLS, and each time it is used again."""

    sock: socket.socket | None

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        _attach(connection)
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        _attach(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class WatchedAdapter(HTTPAdapter):
    """An adapter whose connections show themselves to the watchdog."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
