"""The one renderer of errors: RFC 9457 problem+json for whatever goes wrong, in and outside the API."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import structlog
from flask import Response, current_app, got_request_exception, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from main.controller.boundedjson import MalformedBody
from main.controller.schemas import SourceMetaSchema
from main.service.errors import (
    AisleError,
    Forbidden,
    Gone,
    InvalidQuery,
    NotFound,
    NothingYet,
    Outdated,
    RequiredMissing,
    SourceDisabled,
    SwitchedMeanwhile,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from main.util.clock import isoformat
from main.util.logs import current_request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"
_INTERNAL = "Something went wrong inside; the log has it under this request id."
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address; /docs lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method; the Allow header lists those it takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "This address takes application/json.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 64 KiB.",
    HTTPStatus.PRECONDITION_REQUIRED: "This takes If-Match with the ETag of what you have seen, so that nobody's change is lost; * changes it whatever it is now.",
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
}

_STATUSES = {
    NotFound: HTTPStatus.NOT_FOUND,
    SourceDisabled: HTTPStatus.CONFLICT,
    Outdated: HTTPStatus.PRECONDITION_FAILED,
    SwitchedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    Forbidden: HTTPStatus.FORBIDDEN,
}
_CHALLENGE = 'Bearer realm="aisle"'

_log = structlog.get_logger("request")


def render(error: Exception) -> Response:
    """Give the answer for any exception."""
    if isinstance(error, HTTPException):
        return _render_http(error)
    if isinstance(error, ValidationError):
        return invalid(error.messages)
    if isinstance(error, AisleError):
        told = _render_ours(error)
        if told is not None:
            return told
    got_request_exception.send(current_app._get_current_object(), exception=error)  # type: ignore[attr-defined]  # noqa: SLF001
    _log.error("request.broke", path=request.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL)


def _render_ours(error: AisleError) -> Response | None:
    if isinstance(error, InvalidQuery):
        return invalid(dict(error.errors))
    if isinstance(error, Unavailable):
        return _render_unavailable(error)
    if isinstance(error, Unauthenticated):
        return _render_unauthenticated(error)
    if isinstance(error, Gone):
        return _render_gone(error)
    if isinstance(error, TooManyRequests):
        seconds = max(1, math.ceil(error.retry_after))
        return problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers={"Retry-After": str(seconds)})
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), None)
    return None if status is None else problem(status, str(error))


def _render_gone(error: Gone) -> Response:
    """Say when it left (RFC 9110, 15.5.11)."""
    left = error.tombstone
    return problem(HTTPStatus.GONE, str(error), deleted_at=isoformat(left.deleted_at), version=left.version)


def _render_unauthenticated(error: Unauthenticated) -> Response:
    # RFC 6750, 3.1: a request that brought no token at all is told nothing but how to come in.
    challenge = _CHALLENGE if error.code is None else f'{_CHALLENGE}, error="{error.code}"'
    return problem(HTTPStatus.UNAUTHORIZED, str(error), headers={"WWW-Authenticate": challenge})


def problem(status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """Give a problem+json answer; ``members`` are extensions of the problem (RFC 9457, 3.2)."""
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": quote(request.path),
        "request_id": current_request_id(),
        **members,
    }
    body = {key: value for key, value in body.items() if value is not None}
    response = Response(orjson.dumps(body), status.value, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


def invalid(messages: Any) -> Response:
    """Give a 422 that names every wrong parameter or field; what was sent is not repeated."""
    errors = {str(field)[:100]: flatten(found) for field, found in messages.items()}
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "One or more parameters or fields are wrong.", errors=errors)


def flatten(messages: Any) -> list[str]:
    """Give all messages below a field of a ValidationError, as the API says them."""
    if isinstance(messages, dict):
        return [message for below in messages.values() for message in flatten(below)]
    return ["is unknown" if message == "Unknown field." else str(message) for message in messages]


def _render_http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if error.response is not None and error.code is None:
        return error.response  # type: ignore[return-value]
    given = error.get_headers(request.environ)
    headers = {name: value for name, value in given if name in _KEPT_HEADERS}
    location = error.get_response().headers.get("Location")
    if location:
        headers["Location"] = location
    # Only our own words: those of a library may repeat what was sent.
    detail = error.description if isinstance(error, MalformedBody) else _DETAILS.get(status)
    return problem(status, detail or status.description or status.phrase, headers=headers)


def _render_unavailable(error: Unavailable) -> Response:
    members: dict[str, Any] = {}
    if isinstance(error, RequiredMissing):
        members["missing"] = dict(error.missing)
    if isinstance(error, NothingYet):
        schema = SourceMetaSchema()
        members["sources"] = {status.source.name: schema.dump(status) for status in error.statuses}
    headers = {"Retry-After": str(error.retry_after)}
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers=headers, **members)
