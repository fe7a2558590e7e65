"""Which pages of other origins may read answers: those the settings list, by their Bearer tokens and never by a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from main.controller import csrf
from main.controller.credentials import KEY_HEADER

if TYPE_CHECKING:
    from collections.abc import Collection

    from flask import Flask

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-ID",
    KEY_HEADER,
    csrf.HEADER,
)
_READ = (
    "Aisle-Complete, Cache-Status, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID, X-Total-Count"
)
_REMEMBERED = "600"


def install(app: Flask, origins: Collection[str]) -> None:
    """Let pages of these origins read an app's answers (Fetch standard, CORS protocol); with none, nothing is changed."""
    if not origins:
        return

    def answer_preflight() -> Response | None:
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if not asks or request.headers.get("Origin") not in origins:
            return None
        return Response(status=204, headers=_PREFLIGHT)

    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = str(origin)
            response.headers["Access-Control-Expose-Headers"] = _READ
        return response

    app.before_request(answer_preflight)
    app.after_request(allow)


_PREFLIGHT = {
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": ", ".join(_SENT),
    "Access-Control-Max-Age": _REMEMBERED,
}
