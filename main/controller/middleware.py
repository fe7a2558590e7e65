"""Around every request: its id, its line in the log, and loading its parameters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from flask import g, request
from marshmallow import ValidationError, fields

from main.controller.fields import Choices, Values
from main.util.ids import sane_request_id
from main.util.logs import bind_request_id, unbind_request_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response
    from marshmallow import Schema
    from werkzeug.datastructures import MultiDict

_QUIET = {"/health", "/ready", "/heartbeat"}
_NO_LOOK = {"/health", "/heartbeat"}  # what tells that the process lives touches no disk

_log = structlog.get_logger("request")


def install(app: Flask) -> None:
    """Put the middleware around an app."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def look_first(app: Flask, look: Callable[[], None]) -> None:
    """Have an app look before each request whether something it runs on has changed."""

    def run() -> None:
        if request.path not in _NO_LOOK:
            look()

    app.before_request(run)


def load_args(schema: Schema, args: MultiDict[str, str] | None = None) -> Any:
    """Load the query string, or the part of it that is given, with a schema.

    Raises:
        ValidationError: a parameter is unknown, wrong, or given twice where once is allowed.
    """
    given: dict[str, Any] = {}
    twice: dict[str, Any] = {}
    for name, values in (request.args if args is None else args).lists():
        many = _is_many(schema, name)
        given[name] = values if many else values[0]
        if len(values) > 1 and not many:
            twice[name] = ["may be given only once"]
    if twice:
        raise ValidationError({**twice, **schema.validate(given)})
    return schema.load(given)


def _is_many(schema: Schema, name: str) -> bool:
    field: fields.Field[Any] | None = schema.load_fields.get(name) or schema.load_fields.get(f"{name}_")
    return isinstance(field, Choices | Values)


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = sane_request_id(request.headers.get("X-Request-ID"))
    bind_request_id(g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    if request.path not in _QUIET:
        _log.info(
            "request.served",
            method=request.method,
            path=request.path,
            status=response.status_code,
            duration_ms=round((time.perf_counter() - g.started) * 1000, 2),
        )
    return response


def _forget(_: BaseException | None) -> None:
    unbind_request_id()
