"""Documents in Swagger what every route may answer because of the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.controller.limits import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXAMPLE = {
    "type": "about:blank",
    "title": "Too Many Requests",
    "status": 429,
    "detail": "Too many requests.",
    "request_id": "8f14e45f",
}
_FIELDS = {
    "RateLimit": {
        "description": "How many requests are left, and when all are again (RFC 9651)",
        "type": "string",
        "x-optional": True,
    },
    "RateLimit-Policy": {
        "description": "How many requests there may be in how many seconds",
        "type": "string",
        "x-optional": True,
    },
}
_TOO_MANY = {
    "description": "Asked too often; Retry-After says when to come back.",
    "schema": {"$ref": "#/definitions/Problem"},
    "examples": {"application/problem+json": _EXAMPLE},
    "headers": {"Retry-After": {"description": "Seconds to wait before asking again", "type": "integer"}},
}


def describe_limits(paths: Mapping[str, Any]) -> None:
    """Add 429 to every operation of a limited route, and to each of its answers the fields that say how much is left."""
    operations = (
        part for path, item in paths.items() if path not in UNLIMITED for part in item.values() if "responses" in part
    )
    for operation in operations:
        operation["responses"] = dict(sorted({"429": _TOO_MANY, **operation["responses"]}.items()))
        for code, answer in operation["responses"].items():
            operation["responses"][code] = {**answer, "headers": {**answer.get("headers", {}), **_FIELDS}}
