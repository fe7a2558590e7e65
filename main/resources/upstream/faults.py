"""What went wrong with a call to a shop, in our own errors: statuses, and what libraries raise."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

import requests
import urllib3

from main.service.errors import (
    NoAccessToken,
    UpstreamError,
    UpstreamGarbled,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
    UpstreamUnsendable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK = 200
_ERRORS = 400
_THROTTLED = 429
_BUSY = 503
_STUMBLES = {502, 503, 504}
_NOT_FOLLOWED = {301, 302, 303, 307, 308}


class Answered(Protocol):
    """Anything with a status and headers."""

    @property
    def status(self) -> int:
        """The status of the answer."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by their names in lower case."""


def refuse_errors(response: Answered) -> None:
    """Return for a 200.

    Raises:
        UpstreamRefused: for every other status; the subclass for one that asks to be left alone.
    """
    status = response.status
    if status == _OK:
        return
    if status == _THROTTLED or (status == _BUSY and "retry-after" in response.headers):
        retry_after = parse_retry_after(response.headers.get("retry-after"))
        raise UpstreamThrottled(f"The shop answered {status}: too many calls.", status, retry_after)
    if status < _ERRORS:
        what = "a redirect, which is not followed" if status in _NOT_FOLLOWED else "no list"
        raise UpstreamRefused(f"The shop answered {status}: {what}.", status)
    raise UpstreamRefused(f"The shop answered {status}.", status)


def parse_retry_after(value: str | None, *, cap: float = 60.0, now: float | None = None) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3: seconds or a date), never more than ``cap`` seconds."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return min(float(value.strip()[:9]), cap)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now)
    except (ValueError, OverflowError):
        return cap
    return seconds if 0 < seconds < cap else cap


def is_worth_another_try(error: BaseException) -> bool:
    """Tell whether a call that ended so may go well a moment later: a gateway stumbled, or no answer had begun when the connection broke.

    Never what was throttled, what timed out, and what will not change: a name that does not resolve, a certificate.
    """
    if isinstance(error, UpstreamRefused | NoAccessToken):
        return error.status in _STUMBLES and not isinstance(error, UpstreamThrottled)
    cause = error.__cause__
    return (
        isinstance(error, UpstreamUnreachable)
        and isinstance(cause, requests.ConnectionError)
        and not isinstance(cause, requests.exceptions.SSLError)
        and _NO_NAME not in repr(cause)
    )


def translate(error: Exception) -> UpstreamError:
    """Give our error for what requests, urllib3 or the system raised."""
    if isinstance(error, requests.ConnectionError) and not isinstance(error, requests.Timeout | requests.exceptions.SSLError):
        return UpstreamUnreachable(_connection_reason(error))
    return next((made(text) for kinds, made, text in _TRANSLATIONS if isinstance(error, kinds)), UpstreamGarbled(_NOT_HTTP))


_NO_NAME = "NameResolution"
_NOT_HTTP = "The shop's answer is not valid HTTP."
_TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], type[UpstreamError], str], ...] = (
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), UpstreamTimeout, "The shop did not answer in time."),
    (
        (requests.exceptions.InvalidHeader,),
        UpstreamUnsendable,
        "A header or credential in the source's settings cannot be sent.",
    ),
    (
        (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError),
        UpstreamGarbled,
        "The answer's compression is broken.",
    ),
    (
        (requests.exceptions.SSLError,),
        UpstreamUnreachable,
        "The shop's TLS certificate or handshake was refused.",
    ),
    ((urllib3.exceptions.HTTPError,), UpstreamUnreachable, "The connection to the shop broke off."),
    ((requests.RequestException, ValueError), UpstreamGarbled, _NOT_HTTP),
    ((OSError,), UpstreamUnreachable, "The connection to the shop broke off."),
)


def _connection_reason(error: requests.ConnectionError) -> str:
    text = repr(error)
    if _NO_NAME in text or "getaddrinfo" in text or "Name or service not known" in text:
        return "The shop's host name does not resolve."
    if "refused" in text:
        return "The shop refuses connections."
    return "There is no connection to the shop, or it broke off."
