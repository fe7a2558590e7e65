"""The cache in memcached, through pymemcache."""

from __future__ import annotations

import math
import socket
import threading
from typing import TYPE_CHECKING, TypeVar

from pymemcache.client.base import Client, PooledClient
from pymemcache.exceptions import MemcacheError, MemcacheUnexpectedCloseError

from main.resources.cache.bounded import BoundedSocket
from main.resources.cache.entries import bound_seconds, name_lock, name_value, seal, unseal
from main.service.errors import CacheDown
from main.util.clock import Clock, SystemClock
from main.util.perprocess import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 0.5
CONNECTIONS = 32
LARGEST = 1_000_000  # a server takes items of at most 1 MiB unless it is told otherwise
_TRIES = 5
# Beside its own errors and those of the socket, pymemcache meets these in an answer that is not memcached's.
_ERRORS = (MemcacheError, OSError, ValueError, LookupError)
_CLOSED = (MemcacheUnexpectedCloseError, ConnectionError)

T = TypeVar("T")


class _Client(Client):  # type: ignore[misc]
    """One connection: to any address of the server's name, and with a time for whole answers."""

    def _connect(self) -> None:
        self.close()
        sock = socket.create_connection(self.server, self.connect_timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = BoundedSocket(sock, self.timeout)


class _Clients(PooledClient):  # type: ignore[misc]
    client_class = _Client


class _Pool:
    """The connections of one process, and as many places; the library's own pool fails where it should wait."""

    def __init__(self, server: tuple[str, int], timeout: float) -> None:
        self.clients = _Clients(server, connect_timeout=timeout, timeout=timeout, default_noreply=False)
        self.places = threading.BoundedSemaphore(CONNECTIONS)


class MemcachedCache:
    """Values in one memcached server. Connections are made when first needed; each call ends in bounded time.

    The server counts whole seconds, so the exact end of a value stands beside it, and no value is given after that. A lock is an item
    with owner and end, changed by ``add`` and ``cas`` only.
    """

    def __init__(self, server: tuple[str, int], *, timeout: float = TIMEOUT, clock: Clock | None = None) -> None:
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._pools = PerProcess(lambda: _Pool(server, timeout))

    def open(self) -> None:
        """Do nothing: the first call connects."""

    def ping(self) -> None:
        """Return when the server answers."""
        self._ask(lambda clients: clients.version())

    def close(self) -> None:
        """Close all connections."""
        pool = self._pools.drop()
        if pool is not None:
            pool.clients.close()

    def get(self, key: str) -> bytes | None:
        """Give the value, or None where there is none or its time is over."""
        found = unseal(self._ask(lambda clients: clients.get(name_value(key))))
        return found[0] if found and self._clock.timestamp() < found[1] else None

    def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value for that long; one too large for the server is not kept."""
        kept = bound_seconds(seconds)
        if not kept or len(value) > LARGEST:
            self.delete(key)
            return
        sealed = seal(value, self._clock.timestamp() + kept)
        self._ask(lambda clients: clients.set(name_value(key), sealed, expire=_whole(kept)))

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""
        self._ask(lambda clients: clients.delete(name_value(key)))

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        """Take the lock of this name, or renew it where the owner has it; False while another owner's is alive."""
        name, kept = name_lock(key), bound_seconds(seconds)
        for _ in range(_TRIES):
            found, token = self._ask(lambda clients: clients.gets(name))
            if not self._is_free_for(owner, found):
                return False
            mine = seal(owner.encode(), self._clock.timestamp() + kept)
            if self._put(name, mine, token, _whole(kept)):
                return True
        return False  # others were faster each time

    def unlock(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's."""
        name = name_lock(key)
        found, token = self._ask(lambda clients: clients.gets(name))
        holder = unseal(found)
        if holder is not None and holder[0] == owner.encode():
            # Deleting cannot be tied to what was read: it could hit a lock that was taken in between.
            self._put(name, seal(b"", 0), token, 1)

    def _is_free_for(self, owner: str, found: bytes | None) -> bool:
        holder = unseal(found)
        return holder is None or holder[0] == owner.encode() or holder[1] <= self._clock.timestamp()

    def _put(self, name: str, item: bytes, token: bytes | None, seconds: int) -> bool:
        if token is None:
            return bool(self._ask(lambda clients: clients.add(name, item, expire=seconds)))
        return bool(self._ask(lambda clients: clients.cas(name, item, token, expire=seconds)))

    def _ask(self, call: Callable[[_Clients], T]) -> T:
        try:
            try:
                return self._try(call)
            except _CLOSED:
                # A server that was started again, or closes idle connections: those that were pooled are dead, a new one may work.
                return self._try(call)
        except _ERRORS as error:
            raise CacheDown(f"memcached does not answer ({type(error).__name__}).") from error

    def _try(self, call: Callable[[_Clients], T]) -> T:
        pool = self._pools.get()
        if not pool.places.acquire(timeout=self._timeout):
            raise TimeoutError("all connections are in use")
        try:
            return call(pool.clients)
        except _ERRORS:
            self._pools.drop()  # what is under way on its other connections ends by itself
            raise
        finally:
            pool.places.release()


def _whole(seconds: float) -> int:
    """Give whole seconds that are never too few: the server's clock ticks once a second, at any moment in it."""
    return math.ceil(seconds) + 1
