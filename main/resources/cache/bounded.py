"""A socket on which every answer must be whole in time, however its bytes drip in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket


class BoundedSocket:
    """A connected socket whose time runs from each request on.

    A socket's own timeout starts again with every byte that arrives, so a server that drips outlives it. Here sending a request and
    reading all of its answer share one allowance.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._seconds = seconds
        self._limit: float | None = seconds
        self._end = time.monotonic() + seconds

    def sendall(self, data: bytes) -> None:
        """Send a request whole, and start the time of its answer.

        Raises:
            TimeoutError: it could not be sent in time.
        """
        self._end = time.monotonic() + self._seconds
        self._sock.settimeout(self._seconds)
        self._sock.sendall(data)

    def recv(self, size: int) -> bytes:
        """Receive the next part of an answer.

        Raises:
            TimeoutError: the time is over.
        """
        self._sock.settimeout(self._left())
        return self._sock.recv(size)

    def settimeout(self, seconds: float | None) -> None:
        """Ask for less time; 0 does not wait at all. More than is left is never given."""
        self._limit = seconds

    def _left(self) -> float:
        if self._limit == 0:
            return 0.0
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not come whole in time")
        return left if self._limit is None else min(left, self._limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
