"""Decorators that document an endpoint: its parameters, its body, its answers and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from main.controller.definitions import DEFINITIONS, describe_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask_restx import Namespace
    from marshmallow import Schema

PROBLEMS = {
    400: ("Problem", "The body is not well-formed JSON, or the Idempotency-Key is malformed."),
    401: ("Problem", "Nobody is known to be asking: no credentials, or wrong ones."),
    403: ("Problem", "Whoever asks may not do this."),
    404: ("Problem", "There is no such thing."),
    406: ("Problem", "The Accept header rules out what this address gives; detail names it."),
    409: ("Problem", "The source is switched off, or a request with the same Idempotency-Key is under way."),
    410: ("Gone", "It was in the catalogue, and has left it within the last 90 days."),
    412: ("Problem", "It has changed since it was read; read it again."),
    413: ("Problem", "The body is larger than 64 KiB."),
    415: ("Problem", "The body is something else than JSON."),
    428: ("Problem", "If-Match is missing: the ETag of what was seen."),
    429: ("Problem", "Asked too often; Retry-After says when to come back."),
    422: ("Invalid", "A parameter or field is unknown or wrong; errors names it."),
    500: ("Problem", "Something went wrong inside; nothing of it is shown."),
    503: ("Unavailable", "Cannot answer now; Retry-After says when to come back."),
}
_CHALLENGE_HEADER = {"WWW-Authenticate": {"description": "How to come in (RFC 6750)", "type": "string"}}
_RETRY_HEADER = {"Retry-After": {"description": "Seconds to wait before asking again", "type": "integer"}}
ERROR_HEADERS = {401: _CHALLENGE_HEADER, 429: _RETRY_HEADER, 503: _RETRY_HEADER}
ETAG_HEADER = {
    "ETag": {
        "description": "Strong; changes when any byte of the answer does. Live answers have none",
        "type": "string",
        "x-optional": True,
    }
}
VERSION_HEADER = {"ETag": {"description": "The version, in double quotes", "type": "string"}}
SWITCH_HEADER = {
    "ETag": {
        "description": "Weak; names the switch alone, breaker and enabled, for If-Match. The rest of the answer changes without it",
        "type": "string",
    }
}
COOKIE_HEADER = {
    "Set-Cookie": {
        "description": "The cookie `token` (`__Host-token` over https), HttpOnly and SameSite=Strict",
        "type": "string",
    }
}
BODY_ERRORS = (400, 413, 415)
LOCATION_HEADER = {"Location": {"description": "Path of what was made", "type": "string"}}
PAGING_HEADERS = {
    "Link": {"description": "first, prev, next, last (RFC 8288)", "type": "string"},
    "X-Total-Count": {"description": "How many the whole result has", "type": "integer"},
}
LIVE_HEADERS = {
    # x-optional: not in every answer, so that tests can tell
    "Aisle-Complete": {
        "description": "On lists and live answers: ?1 when nothing is missing, ?0 otherwise (RFC 9651)",
        "type": "string",
        "x-optional": True,
    },
    "Cache-Status": {
        "description": "With live=true: where the answer came from (RFC 9211)",
        "type": "string",
        "x-optional": True,
    },
    "Age": {
        "description": "With live=true: seconds since the oldest of the shops' answers",
        "type": "integer",
        "x-optional": True,
    },
}
_BODY = "A JSON object"
OPTIONAL_BODY = "A JSON object; none at all means an empty one"
F = TypeVar("F")


def answers(namespace: Namespace, code: int, name: str, description: str, **extra: Any) -> Callable[[F], F]:
    """Document one answer of an endpoint by the schema of this name."""
    model = namespace.schema_model(name, DEFINITIONS[name])
    if code in ERROR_HEADERS:
        extra["headers"] = ERROR_HEADERS[code]
    return cast("Callable[[F], F]", namespace.response(code, description, model, **extra))


def documented(
    namespace: Namespace, name: str | None, description: str, *, code: int = 200, errors: Sequence[int] = (), **extra: Any
) -> Callable[[F], F]:
    """Document an endpoint's answer by the schema of this name (None: it has no body), and the errors it may give beside 500."""

    def decorate(function: F) -> F:
        if name is None:
            namespace.response(code, description)(function)
        else:
            function = answers(namespace, code, name, description, **extra)(function)
        for error in (*errors, 500):
            function = answers(namespace, error, *PROBLEMS[error])(function)
        return function

    return decorate


def conditional(namespace: Namespace) -> Callable[[F], F]:
    """Document that an endpoint answers 304 while the caller's ETag still holds."""

    def decorate(function: F) -> F:
        namespace.response(304, "Nothing changed since the ETag in If-None-Match.", headers=ETAG_HEADER)(function)
        described = {"in": "header", "type": "string", "description": "The ETag of the answer the caller holds"}
        namespace.doc(params={"If-None-Match": {**described, "x-example": '"d41d8cd98f00b204"'}})(function)
        return function

    return decorate


def preconditioned(namespace: Namespace, *, example: str = '"1"') -> Callable[[F], F]:
    """Document that an endpoint needs what the caller has seen."""
    described = {
        "in": "header",
        "type": "string",
        "required": True,
        "description": "The ETag that was seen, or * for whatever it is now",
    }
    return cast("Callable[[F], F]", namespace.doc(params={"If-Match": {**described, "x-example": example}}))


def parameters(namespace: Namespace, schema: Schema) -> Callable[[F], F]:
    """Document the query parameters that a schema loads."""
    return cast("Callable[[F], F]", namespace.doc(params=describe_parameters(schema)))


def body(namespace: Namespace, name: str, *, required: bool = True) -> Callable[[F], F]:
    """Document the JSON body that the schema of this name loads."""
    model = (namespace.schema_model(name, DEFINITIONS[name]), _BODY if required else OPTIONAL_BODY)
    return cast("Callable[[F], F]", namespace.expect(model, validate=False))
