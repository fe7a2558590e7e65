"""Ends calls at their deadline, whatever they are waiting for: a handshake, headers or a body that drips.

``requests`` knows only a timeout per socket operation, which a shop that sends a byte a second never meets. Here one thread shuts the
connection down when its call's time has come; the thread that waits on it gets an error at once.
"""

from __future__ import annotations

import heapq
import itertools
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
    """One thread for all calls of a process, started by the first of them, so after any fork."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, WatchedCall]] = []
        self._numbers = itertools.count()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, deadline: float) -> Iterator[WatchedCall]:
        """Watch the call that this thread makes inside."""
        call = WatchedCall(deadline)
        self._enter(call)
        _CALL.current = call
        try:
            yield call
        finally:
            _CALL.current = None
            call.detach()

    def _enter(self, call: WatchedCall) -> None:
        with self._condition:
            heapq.heappush(self._waiting, (call.deadline, next(self._numbers), call))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting or self._waiting[0][0] > time.monotonic():
                    self._condition.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)
                call = heapq.heappop(self._waiting)[2]
            call.end()


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
