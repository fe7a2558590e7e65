"""How often a caller may ask: 429 beyond the limit, and headers that say how much is left (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from flask import g, request

from main.controller.problems import problem
from main.service.errors import Unauthenticated
from main.service.model import CallerKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from main.service.limits import RateLimit
    from main.service.model import Caller, Verdict

UNLIMITED = frozenset(
    {"/health", "/ready", "/heartbeat"}
)  # what asks whether the process lives asks often, and from one address
_DETAIL = "Too many requests; the RateLimit-Policy header says how many there may be."
_SITE = 64  # bits of an IPv6 address that name whose it is; the rest one household or server can choose at will


def install(app: Flask, limit: RateLimit, who: Callable[[], Caller]) -> None:
    """Hold every request against the limit of its caller, before anything else is done for it."""

    def begin() -> Response | None:
        if request.path in UNLIMITED:
            return None
        g.verdict = verdict = limit.take(caller_key(who))
        return None if verdict is None or verdict.allowed else _refuse(verdict)

    def end(response: Response) -> Response:
        verdict = cast("Verdict | None", g.get("verdict"))
        if verdict is not None:
            response.headers["RateLimit-Policy"] = (
                f'"{verdict.policy.name}";q={verdict.policy.rate.calls};w={verdict.policy.window}'
            )
            response.headers["RateLimit"] = f'"{verdict.policy.name}";r={verdict.remaining};t={verdict.resets_in}'
        return response

    app.before_request(begin)
    app.after_request(end)


def caller_key(who: Callable[[], Caller]) -> str:
    """Name whoever asks, for counting: the caller, or the address where nobody is known to be asking."""
    try:
        caller = who()
    except Unauthenticated:
        return f"address:{client_address()}"
    return f"address:{client_address()}" if caller.kind is CallerKind.ANONYMOUS else caller.key


def client_address() -> str:
    """Give where the request comes from: the socket's other end, or what the configured proxies say (``server.proxies``); of IPv6 the network."""
    text = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"  # a socket without an address, or a proxy that writes something else
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed, _SITE), strict=False))


def _refuse(verdict: Verdict) -> Response:
    return problem(HTTPStatus.TOO_MANY_REQUESTS, _DETAIL, headers={"Retry-After": str(verdict.resets_in)})
