"""Access tokens by OAuth2's client credentials grant (RFC 6749, 4.4): fetched when needed, kept in memory until a little before their end."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import msgspec
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests import PreparedRequest
from requests.auth import HTTPBasicAuth

from main.resources.upstream.faults import refuse_errors
from main.service.errors import NoAccessToken, UpstreamGarbled, UpstreamRefused, UpstreamThrottled, UpstreamTimeout
from main.util.secret import Secret
from main.util.text import shorten

if TYPE_CHECKING:
    from main.resources.upstream.wire import Wire
    from main.service.model import OAuth2

_LIMIT = 64 * 1024  # bytes of an answer, which holds a token and little else
_UNTOLD = 300.0  # seconds, where the endpoint does not say how long a token holds
_MARGIN = 30.0  # seconds before its end that a token is used no more: a call that has it may be under way for some
_SENDABLE = re.compile(r"[!-~]+")  # RFC 6750 (2.1) allows less, but there are shops whose tokens hold ^ and #
_LONGEST = 24 * 3600.0  # seconds, whatever it says: an endpoint may be mistaken
_KIND = "bearer"  # RFC 6750; an endpoint that names no kind means it


class _Answer(msgspec.Struct):
    """What of an answer is used; oauthlib reads the rest, but not everything that a hostile endpoint may send."""

    access_token: str | None = None
    token_type: str | None = None
    expires_in: int | float | str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    secret: Secret
    until: float


class TokenKeeper:
    """Gives a source's access token; many threads that need one cause one call."""

    def __init__(self, settings: OAuth2, wire: Wire, agent: str) -> None:
        self._settings = settings
        self._wire = wire
        self._agent = agent
        self._token: _Token | None = None
        self._fetching = threading.Lock()
        self._lock = threading.Lock()  # held for a moment only, never while a token is fetched

    def token(self, deadline: float) -> Secret:
        """Give a token that holds a little longer.

        Raises:
            NoAccessToken: the token endpoint refused, or gave a token that cannot be sent.
            UpstreamError: it did not give one before the deadline (monotonic seconds), or what it gave is none.
        """
        if not self._fetching.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise UpstreamTimeout("The token endpoint did not answer in time.")
        try:
            token = self._token  # one reading: another thread may forget it at any time
            if token is None or token.until <= time.monotonic():
                token = self._fetch(deadline)
                with self._lock:
                    self._token = token
            return token.secret
        finally:
            self._fetching.release()

    def forget(self, secret: Secret) -> None:
        """Drop this token, which the shop did not take, unless there is a newer one already."""
        with self._lock:
            if self._token is not None and self._token.secret == secret:
                self._token = None

    def close(self) -> None:
        """End the call under way and close the connection."""
        self._wire.close()

    def _fetch(self, deadline: float) -> _Token:
        began = time.monotonic()
        reply = self._wire.send(self._request(), deadline, _LIMIT)
        try:
            refuse_errors(reply)
        except UpstreamThrottled as error:
            raise UpstreamThrottled(_said(error.status), error.status, error.retry_after) from error
        except UpstreamRefused as error:
            raise NoAccessToken(_said(error.status), error.status) from error
        answer = _read(reply.body)
        told = answer.access_token or ""
        if not _SENDABLE.fullmatch(told):
            raise NoAccessToken("The token endpoint of auth.oauth2 gave a token that cannot be sent.", reply.status)
        seconds = _lifetime(answer.expires_in)
        return _Token(Secret(told), began + max(seconds - _MARGIN, seconds / 2))

    def _request(self) -> PreparedRequest:
        told = self._settings
        client = BackendApplicationClient(told.client_id.reveal())
        more: dict[str, Any] = {"audience": told.audience} if told.audience else {}
        request = PreparedRequest()
        request.prepare(
            "POST",
            told.token_url,
            headers={
                "User-Agent": self._agent,
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            data=client.prepare_request_body(scope=told.scope, **more),
            # RFC 6749, 2.3.1: both parts are encoded as in a form first.
            auth=HTTPBasicAuth(quote_plus(told.client_id.reveal()), quote_plus(told.client_secret.reveal())),
        )
        return request


def _said(status: int) -> str:
    return f"The token endpoint of auth.oauth2 answered {status}."


def _read(body: bytes) -> _Answer:
    """Read a token endpoint's answer (RFC 6749, 5.1)."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        sent = {"access_token": answer.access_token, "token_type": answer.token_type, "error": answer.error}
        told = msgspec.json.encode({name: value for name, value in sent.items() if value is not None}).decode()
        BackendApplicationClient("").parse_request_body_response(told)
    except OAuth2Error as error:
        raise UpstreamGarbled(f"The token endpoint gave no token: {shorten(str(error.error), 80)}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamGarbled("The token endpoint's answer is not the JSON of RFC 6749.") from error
    if answer.token_type is not None and answer.token_type.lower() != _KIND:
        raise UpstreamGarbled("The token endpoint gave a token of a kind other than Bearer.")
    return answer


def _lifetime(told: float | str | None) -> float:
    try:
        seconds = float(told) if told is not None else _UNTOLD
    except (ValueError, OverflowError):
        seconds = _UNTOLD
    return min(seconds, _LONGEST) if seconds > 0 else _UNTOLD
