"""Looks host names up without outliving a deadline: the system's own look-up cannot be ended, so it runs in a thread that is left behind."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from main.service.errors import UpstreamClosed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Address = tuple[int, int, int, str, Any]


class _Lookup:
    """One look-up under way: whoever wants the same name waits for this one."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: Sequence[Address] = ()
        self.error: OSError | None = None


class Names:
    """Gives the addresses of hosts; a resolver that hangs costs at most one thread a host."""

    def __init__(self, ask: Callable[..., Sequence[Address]] = socket.getaddrinfo) -> None:
        self._ask = ask
        self._under_way: dict[tuple[str, int], _Lookup] = {}
        self._lock = threading.Lock()

    def resolve(self, host: str, port: int, deadline: float) -> Sequence[Address]:
        """Give the addresses to connect to, as ``socket.getaddrinfo`` does.

        Raises:
            TimeoutError: the resolver did not answer before the deadline (monotonic seconds).
            OSError: the name does not resolve.
            UpstreamClosed: there is no thread to look it up.
        """
        if _is_literal(host):
            return self._ask(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        lookup = self._join(host, port)
        if not lookup.done.wait(max(0.0, deadline - time.monotonic())):
            raise TimeoutError(f"The look-up of {host} takes too long.")
        if lookup.error is not None:
            raise type(lookup.error)(*lookup.error.args) from lookup.error
        return lookup.found

    def _join(self, host: str, port: int) -> _Lookup:
        with self._lock:
            lookup = self._under_way.get((host, port))
            if lookup is None:
                lookup = self._start(host, port)
                # Only now: nobody would ever end one that could not be started. It waits for the lock before it is taken out.
                self._under_way[host, port] = lookup
            return lookup

    def _start(self, host: str, port: int) -> _Lookup:
        lookup = _Lookup()
        try:
            threading.Thread(target=self._run, args=(host, port, lookup), name=f"names-{host}", daemon=True).start()
        except RuntimeError as error:
            raise UpstreamClosed(f"There is no thread to look up {host}.") from error
        return lookup

    def _run(self, host: str, port: int, lookup: _Lookup) -> None:
        try:
            lookup.found = self._ask(host, port, 0, socket.SOCK_STREAM)
        except UnicodeError:
            lookup.error = socket.gaierror(socket.EAI_NONAME, "not a host name")
        except OSError as error:
            lookup.error = error
        finally:
            with self._lock:
                self._under_way.pop((host, port))
            lookup.done.set()


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
