"""``Idempotency-Key``: a POST that may be sent again and has its effect once (draft-ietf-httpapi-idempotency-key-header).

A key is kept for 24 hours, for each caller by itself. The answer is kept with it and given again, headers and body alike; one that says that something
went wrong inside, or that was never finished, frees the key, so that the next try is a try.
"""

from __future__ import annotations

import hashlib
import re
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

import structlog
from flask import Response, current_app, request

from main.controller.bodies import raw_body
from main.controller.limits import caller_key
from main.controller.problems import invalid, problem
from main.service.errors import StoreDown
from main.service.model import Claim, Reply, Standing
from main.util.ids import new_id
from main.util.processes import own_mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask_restx import Namespace

    from main.service.model import Caller
    from main.service.ports.doors import Replies
    from main.util.clock import Clock

F = TypeVar("F", bound="Callable[..., Any]")
HEADER = "Idempotency-Key"
_KEY = "aisle.idempotency"
_log = structlog.get_logger("request")
_LONGEST = 255
_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"')  # RFC 9651, 3.3.3
# Not what the draft says, but what most clients send.
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_MALFORMED = (
    f'Idempotency-Key must be a UUID, or a string in double quotes of 1 to {_LONGEST} characters, such as "order-7-try".'
)
_UNDER_WAY = "A request with this Idempotency-Key is under way; ask again in a moment for its answer."
_OTHER = "was sent before with another request"
_SHOWN = {
    "in": "header",
    "type": "string",
    "description": "Makes it safe to send this again: the same key within 24 hours gets the first answer again. A string in double quotes, or a UUID",
    "pattern": r'^("([ !#-\[\]-~]|\\["\\]){1,255}"|[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12})$',
    "x-example": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
}


def install(app: Flask, replies: Replies, who: Callable[[], Caller], clock: Clock) -> None:
    """Give an app what its :func:`idempotent` endpoints need."""
    app.extensions[_KEY] = (replies, who, clock)


def idempotent(namespace: Namespace) -> Callable[[F], F]:
    """Let callers send a request again without having its effect twice, by a key of theirs; goes below the guard."""

    def decorate(function: F) -> F:
        @wraps(function)
        def once(*args: Any, **kwargs: Any) -> Any:
            offered = request.headers.get(HEADER)
            if offered is None:
                return function(*args, **kwargs)
            key = read_key(offered)
            if key is None:
                return problem(HTTPStatus.BAD_REQUEST, _MALFORMED)
            return _answer(key, lambda: function(*args, **kwargs))

        return cast("F", namespace.doc(params={HEADER: _SHOWN})(once))

    return decorate


def read_key(offered: str) -> str | None:
    """Give the key that a header holds, None where it is malformed."""
    offered = offered.strip(" ")
    found = _STRING.fullmatch(offered)
    key = re.sub(r"\\(.)", r"\1", found[1]) if found else offered
    return key if (found or _UUID.fullmatch(offered)) and len(key) <= _LONGEST else None


def _answer(key: str, run: Callable[[], Response]) -> Response:
    replies, who, clock = cast("tuple[Replies, Callable[[], Caller], Clock]", current_app.extensions[_KEY])
    claim = Claim(caller_key(who), key, _fingerprint(), f"{own_mark()}#{new_id()}")
    begun = replies.begin(claim, clock.now())
    if begun.reply is not None:
        return Response(begun.reply.body, begun.reply.status, list(begun.reply.headers))
    if begun.standing is Standing.OTHER:
        return invalid({HEADER: [_OTHER]})
    if begun.standing is Standing.UNDER_WAY:
        return problem(HTTPStatus.CONFLICT, _UNDER_WAY, headers={"Retry-After": "1"})
    try:
        response = run()
    except BaseException:  # nothing was done that could be told again
        _keep(lambda: replies.release(claim))
        raise
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _keep(lambda: replies.release(claim))
    else:
        reply = Reply(response.status_code, tuple(response.headers.items()), response.get_data())
        _keep(lambda: replies.finish(claim, reply, clock.now()))
    return response


def _keep(step: Callable[[], None]) -> None:
    """Write down what came of a request; where that fails, its answer is the right one all the same, and the key stays taken for a while."""
    try:
        step()
    except StoreDown as error:
        _log.error("idempotency.not_kept", error=str(error))


def _fingerprint() -> bytes:
    parts = (request.method.encode(), request.path.encode("utf-8", "surrogatepass"), request.query_string, raw_body())
    return hashlib.blake2b(b"".join(b"%d:%b" % (len(part), part) for part in parts), digest_size=16).digest()
