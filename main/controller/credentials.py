"""What a request brings to say who is asking: a Bearer token, a machine's key, or the cookie of a login."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from main.service.errors import Unauthenticated

if TYPE_CHECKING:
    from flask import Response

    from main.service.model import Caller, TokenPair
    from main.service.ports.doors import Door

MISSING = "Authorization token is missing"
INVALID = "Authorization token is invalid"
INVALID_TOKEN = "invalid_token"  # noqa: S105 - the error code of RFC 6750, 3.1
KEY_HEADER = "X-API-Key"
COOKIE, SECURE_COOKIE = "token", "__Host-token"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8000}={0,2}")  # b64token of RFC 6750, 2.1
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """Who is asking, and whether nothing but a cookie says so, which a browser sends without being asked by its user."""

    caller: Caller
    by_cookie: bool


def identify(door: Door) -> Known | None:
    """Give who the request's credentials belong to; None where it brings none.

    Raises:
        Unauthenticated: one of them is malformed, wrong or over, or they belong to different callers.
    """
    headers, cookie = _read_headers(), _read_cookie()
    given = [*headers, *([] if cookie is None else [cookie])]
    if not given:
        return None
    found = [door.know(_checked(token)) for token in given]
    if len({caller.key for caller in found}) > 1:
        raise Unauthenticated("The credentials of this request belong to different callers", INVALID_TOKEN)
    return Known(found[0], by_cookie=not headers)


def _read_headers() -> list[str]:
    given = []
    if (authorization := request.headers.get("Authorization")) is not None:
        bearer = _BEARER.fullmatch(authorization)
        if bearer is None:
            raise Unauthenticated(INVALID, INVALID_TOKEN)
        given.append(bearer[1])
    if (key := request.headers.get(KEY_HEADER)) is not None:
        given.append(key)
    return given


def _read_cookie() -> str | None:
    # Over https only the prefixed one counts: another host of the same domain, or plain http, could have set the other.
    return request.cookies.get(_cookie_name())


def _checked(token: str) -> str:
    # Two Authorization headers arrive as one, joined by a comma, which no token has in it.
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated(INVALID, INVALID_TOKEN)
    return token


def _cookie_name() -> str:
    return SECURE_COOKIE if request.is_secure else COOKIE


def set_cookie(response: Response, tokens: TokenPair) -> None:
    """Have the browser keep the token that is for its cookie, out of reach of scripts and of other sites."""
    token, seconds = tokens.cookie or tokens.access_token, tokens.expires_in
    response.set_cookie(
        _cookie_name(), token, max_age=seconds, path="/", secure=request.is_secure, httponly=True, samesite="Strict"
    )


def sets_cookie(response: Response) -> bool:
    """Tell whether an answer has the browser keep another token already, or forget the one it has."""
    return any(line.startswith(f"{_cookie_name()}=") for line in response.headers.getlist("Set-Cookie"))


def clear_cookie(response: Response) -> None:
    """Have the browser forget the access token."""
    response.delete_cookie(_cookie_name(), path="/", secure=request.is_secure, httponly=True, samesite="Strict")
