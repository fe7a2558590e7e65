"""Proof that a browser's state-changing call comes from our own page: its origin, and a token bound to the login."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request

from main.controller.bodies import raw_body
from main.service.errors import Forbidden

if TYPE_CHECKING:
    from main.service.model import Caller

HEADER, FIELD = "X-CSRF-Token", "csrf_token"
FORM = "application/x-www-form-urlencoded"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_OWN_SITE = {"same-origin", "none"}
_PURPOSE = b"aisle-csrf\0"
_SHORTEST_KEY = 32
_ORIGIN = "This call changes something and comes from another site; a browser's login does not allow that."
_TOKEN = f"This call changes something: with a browser's login it needs the {HEADER} that GET /auth/me gives."


class CsrfGuard:
    """Makes and checks tokens with a key of this installation, the same in every process of it (32 bytes or more)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SHORTEST_KEY:
            raise ValueError(f"The key has {len(secret)} bytes; it needs {_SHORTEST_KEY}.")
        self._secret = secret

    def make(self, caller: Caller) -> str:
        """Give a token that holds as long as the caller's login does; each time another one."""
        salt = secrets.token_urlsafe(12)  # so that no two answers compress alike
        return f"{salt}.{self._sign(salt, caller)}"

    def check(self, caller: Caller) -> None:
        """Return when the request may change something although only a cookie says who asks.

        Raises:
            Forbidden: it comes from another site, or has no token of this login.
        """
        if request.method in _SAFE:
            return
        if not comes_from_here():
            raise Forbidden(_ORIGIN)
        if not self.holds(_sent(), caller):
            raise Forbidden(_TOKEN)

    def holds(self, token: str, caller: Caller) -> bool:
        """Tell whether a token was made for this caller's login."""
        salt, _, signature = token.partition(".")
        return hmac.compare_digest(signature.encode(), self._sign(salt, caller).encode())

    def _sign(self, salt: str, caller: Caller) -> str:
        bound = f"{salt}\0{caller.key}\0{caller.session or ''}".encode()
        digest = hmac.new(self._secret, _PURPOSE + bound, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _sent() -> str:
    """Give the token the request brings: in the header, as scripts send it, or in the field that every form of our pages has."""
    if HEADER in request.headers or request.mimetype != FORM:
        return request.headers.get(HEADER, "")
    raw_body()  # within its limit, and kept: what is no form to an endpoint is still there for it to refuse
    return request.form.get(FIELD, "")


def comes_from_here() -> bool:
    """Tell whether the browser says that a page of this very origin, or its user, makes the call; both headers if it sends both."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        return False
    own = urlsplit(request.host_url)
    return (site is None or site in _OWN_SITE) and (origin is None or origin.lower() == f"{own.scheme}://{own.netloc}".lower())
