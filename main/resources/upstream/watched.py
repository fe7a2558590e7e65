"""The HTTP adapter of ``requests`` with connections that end at their call's deadline: look-up, connect, TLS, answer."""

from __future__ import annotations

import socket
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from main.resources.upstream.heads import BoundedResponse
from main.resources.upstream.lines import Line, SecureLine, plug_of
from main.resources.upstream.watchdog import current_call

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from requests import PreparedRequest

    from main.resources.upstream.names import Address
    from main.resources.upstream.watchdog import WatchedCall


@cache
def tls_context() -> ssl.SSLContext:
    """Give the one TLS context of this process: reading the certificate bundle costs more than a whole call."""
    context = create_urllib3_context()
    context.sslsocket_class = SecureLine
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def dial(addresses: Sequence[Address], call: WatchedCall, options: Any = ()) -> Line:
    """Connect to the first of the addresses that answers; each may take its share of the time that is left.

    Raises:
        TimeoutError: none did before the call's deadline, or the call was ended.
        OSError: none wants to.
    """
    failed: OSError = TimeoutError("There is no time left to connect.")
    for number, address in enumerate(addresses):
        left = call.deadline - time.monotonic()
        if call.ended or left <= 0:
            break
        found = _connect(address, call, left / (len(addresses) - number), options)
        if isinstance(found, Line):
            found.settimeout(None)
            return found
        failed = found
    raise failed


def _connect(address: Address, call: WatchedCall, seconds: float, options: Any) -> Line | OSError:
    family, kind, protocol, _, place = address
    connection = Line(family, kind, protocol)
    try:
        for option in options or ():
            connection.setsockopt(*option)
        call.attach(plug_of(connection))
        connection.settimeout(seconds)
        connection.connect(place)
    except OSError as error:
        connection.close()
        return error
    return connection


class _Watched:
    """Shows a connection to the watchdog: when it is made, before TLS, and each time it is used again."""

    sock: socket.socket | None
    port: int
    host: str
    socket_options: Any
    _dns_host: str
    response_class = BoundedResponse

    def _new_conn(self) -> socket.socket:
        call = current_call()
        if call is None:
            made: socket.socket = super()._new_conn()  # type: ignore[misc]
            return made
        connection: Any = self
        try:
            addresses = call.names.resolve(self._dns_host, self.port, call.deadline)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, connection, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, str(error)) from error
        try:
            found = dial(addresses, call, self.socket_options)
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, str(error)) from error
        except OSError as error:
            raise NewConnectionError(connection, f"Failed to establish a new connection: {error}") from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return found

    def request(self, *args: Any, **kwargs: Any) -> None:
        call = current_call()
        if call is not None and self.sock is not None:
            call.attach(plug_of(self.sock))
        super().request(*args, **kwargs)  # type: ignore[misc]


class _WatchedHTTP(_Watched, HTTPConnection):  # type: ignore[misc] # the property host is what is meant
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):  # type: ignore[misc] # the same
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class WatchedAdapter(HTTPAdapter):
    """An adapter whose connections show themselves to the watchdog, and which keeps no cookies.

    The pool of the origin that was asked last is at hand: finding it anew costs a call as much as making its headers.
    """

    _last: tuple[str, Any] = ("", None)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Mapping[str, str] | None = None, cert: Any = None
    ) -> Any:
        """Give the pool of the request's origin."""
        origin = "/".join((request.url or "").split("/", 3)[:3])
        known, pool = self._last
        if pool is None or known != origin:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._last = (origin, pool)
        return pool

    def request_url(self, request: PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        """Give what stands in the request's first line: the path, or for a proxy all of it."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def trim(self) -> None:
        """Close the connections that lie idle, but for the one that was used last."""
        _, pool = self._last
        idle = getattr(pool, "pool", None)  # a LifoQueue; None once it is closed
        if idle is None:
            return
        with idle.mutex:
            places = [place for place, connection in enumerate(idle.queue) if connection is not None][:-1]
            surplus = [idle.queue[place] for place in places]
            for place in places:
                idle.queue[place] = None  # an empty place, to be filled by the next connection that is needed
        for connection in surplus:
            connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._last = ("", None)
        super().close()

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Give the pools of watched connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def build_connection_pool_key_attributes(self, request: PreparedRequest, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        """Say that TLS is checked by the one context of the process."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {**pool, "ssl_context": tls_context()} if host["scheme"] == "https" else pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the context knows the certificates already, and checks them."""

    def build_response(self, req: PreparedRequest, resp: Any) -> Any:  # noqa: ARG002 - its signature is given
        """Give urllib3's answer as it is; one of ``requests`` would copy its headers and bring a jar for cookies, which are not kept."""
        return resp
