"""The cache in Redis, through redis-py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import BlockingConnectionPool, Connection, SSLConnection, parse_url
from redis.exceptions import RedisError
from redis.retry import Retry

from main.resources.cache.bounded import BoundedSocket
from main.resources.cache.entries import bound_seconds, name_lock, name_value
from main.service.errors import CacheDown
from main.util.perprocess import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 0.5
CONNECTIONS = 32
# Beside its own errors and those of the socket, redis-py meets a ValueError in an answer that is not Redis's.
_ERRORS = (RedisError, OSError, ValueError)

_LOCK = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

T = TypeVar("T")


class _Connection(Connection):
    """A connection with a time for whole answers."""

    def _connect(self) -> Any:
        return BoundedSocket(super()._connect(), self.socket_timeout or TIMEOUT)  # type: ignore[no-untyped-call]


class _TlsConnection(SSLConnection):
    """The same, encrypted."""

    def _connect(self) -> Any:
        return BoundedSocket(super()._connect(), self.socket_timeout or TIMEOUT)  # type: ignore[no-untyped-call]


class RedisCache:
    """Values in one Redis server. Connections are made when first needed; each call ends in bounded time.

    A lock is a key with the owner as its value and a time to live; renewing and giving it back are scripts, which run as one step.
    """

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        self._options: dict[str, Any] = {
            **parse_url(url),  # type: ignore[no-untyped-call]
            "connection_class": _TlsConnection if url.startswith("rediss:") else _Connection,
            "max_connections": CONNECTIONS,
            "timeout": timeout,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            # Whoever asks takes a failure as a miss at once; and of the greetings of a new connection only what must be.
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "driver_info": None,
        }
        self._clients = PerProcess(self._connect)

    def _connect(self) -> Redis:
        return Redis(connection_pool=BlockingConnectionPool(**self._options))  # type: ignore[no-untyped-call]

    def open(self) -> None:
        """Do nothing: the first call connects."""

    def ping(self) -> None:
        """Return when the server answers."""
        self._ask(lambda client: client.ping())

    def close(self) -> None:
        """Close all connections."""
        client = self._clients.drop()
        if client is not None:
            client.connection_pool.disconnect()

    def get(self, key: str) -> bytes | None:
        """Give the value, or None where there is none or its time is over."""
        found: bytes | None = self._ask(lambda client: client.get(name_value(key)))
        return found

    def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value for that long."""
        kept = bound_seconds(seconds)
        if not kept:
            self.delete(key)
            return
        self._ask(lambda client: client.set(name_value(key), value, px=_milliseconds(kept)))

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""
        self._ask(lambda client: client.delete(name_value(key)))

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        """Take the lock of this name, or renew it where the owner has it; False while another owner's is alive."""
        kept = _milliseconds(bound_seconds(seconds))
        return bool(self._ask(lambda client: client.eval(_LOCK, 1, name_lock(key), owner, kept)))

    def unlock(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's."""
        self._ask(lambda client: client.eval(_UNLOCK, 1, name_lock(key), owner))

    def _ask(self, call: Callable[[Redis], Any]) -> Any:
        try:
            return call(self._clients.get())
        except _ERRORS as error:
            raise CacheDown(f"redis does not answer ({type(error).__name__}).") from error


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
