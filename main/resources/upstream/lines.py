"""Connections that can be shut down from another thread, however they are wrapped, for as long as they are open and not a moment longer."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress


class Plug:
    """By which a connection is shut down; it knows when the descriptor is closed, whose number the next connection may get.

    A duplicate of the descriptor would be as safe, but costs each call three switches of threads, or each connection a descriptor more.
    """

    def __init__(self, file: int) -> None:
        self._file: int | None = file
        self._lock = threading.Lock()

    def pull(self) -> None:
        """Shut the connection down, if it is still open."""
        with self._lock:
            if self._file is None:
                return
            borrowed = socket.socket(fileno=self._file)
            with suppress(OSError):  # the shop was quicker and has closed it
                borrowed.shutdown(socket.SHUT_RDWR)
            borrowed.detach()

    def cut(self) -> None:
        """Forget the descriptor: it is about to be closed."""
        with self._lock:
            self._file = None


# By descriptor, because TLS takes that over from the socket that was connected.
_PLUGS: dict[int, Plug] = {}


def plug_of(connection: socket.socket) -> Plug:
    """Give the plug of an open line."""
    return _PLUGS[connection.fileno()]


class _Plugged(socket.socket):
    def _real_close(self) -> None:
        """Close the descriptor, as nobody reads from it any more: a line may be closed long before its answer is read."""
        plug = _PLUGS.pop(self.fileno(), None)
        if plug is not None:
            plug.cut()
        super()._real_close()  # type: ignore[misc]


class Line(_Plugged):
    """A connection that waits for as long as it takes, because the watchdog ends it.

    A timeout of its own would cost each call four switches of threads: two to set it, and a look before each sending and receiving.
    """

    def __init__(self, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        _PLUGS[self.fileno()] = Plug(self.fileno())

    def settimeout(self, value: float | None) -> None:
        """Set the timeout where it is another: the system is asked each time otherwise."""
        if value != self.gettimeout():
            super().settimeout(value)


class SecureLine(_Plugged, ssl.SSLSocket):
    """A line that TLS has taken over; made by a context that has it for its ``sslsocket_class``."""
