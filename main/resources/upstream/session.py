"""The one way out of the house: GET calls to one source, bounded in time, size and direction."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import structlog
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from main import __version__
from main.service.errors import (
    UpstreamError,
    UpstreamGarbled,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from main.util.logs import current_request_id
from main.util.timed import timed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.service.model import Credentials, Rate, Source

MAX_BODY = 64 * 1024 * 1024
MAX_FEED = 1024 * 1024 * 1024
_CHUNK = 64 * 1024
_OK = 200
_NOT_MODIFIED = 304
_ERRORS = 400
_THROTTLED = 429
_BUSY = 503
# One more try, for calls that change nothing and on answers that say "not now"; the pause is jittered by urllib3.
_RETRY = urllib3.Retry(
    total=1,
    connect=1,
    read=False,  # not 0, under which a call that timed out would come back as a connection that failed
    redirect=0,
    status=1,
    other=0,
    status_forcelist=(502, 504),
    allowed_methods=("GET",),
    backoff_factor=0.2,
    backoff_jitter=0.2,
    raise_on_status=False,
    respect_retry_after_header=False,
)

_log = structlog.get_logger("upstream")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a shop: the URL asked, its headers (names in lower case) and its body, decompressed."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Throttle:
    """Keeps calls within a rate: at most ``calls`` begin in any ``period``."""

    def __init__(self, rate: Rate | None) -> None:
        self._rate = rate
        self._begun: deque[float] = deque(maxlen=rate.calls if rate else 1)
        self._lock = threading.Lock()

    def wait(self, deadline: float) -> None:
        """Return when a call may begin.

        Raises:
            UpstreamTimeout: that would be after the deadline (monotonic seconds).
        """
        if self._rate is None:
            return
        with self._lock:
            now = time.monotonic()
            due = now
            if len(self._begun) == self._rate.calls:
                due = max(now, self._begun[0] + self._rate.period.total_seconds())
            if due > deadline:
                raise UpstreamTimeout("No call was free within the source's rate before the deadline.")
            self._begun.append(due)
        time.sleep(due - now)


class UpstreamSession:
    """Calls to one source; each thread has its own ``requests.Session``, because its state is not for sharing."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._origin = _origin(source.url)
        self._throttle = Throttle(source.rate)
        self._local = threading.local()
        self._opened: list[requests.Session] = []
        self._lock = threading.Lock()

    @timed
    def get(
        self, path: str = "", params: Mapping[str, str | int] | None = None, *, limit: int = MAX_BODY, patience: float = 1
    ) -> Answer:
        """Ask for ``path`` below the source's URL and give the whole answer; ``patience`` stretches the timeout.

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """
        return self._ask(self._source.url + path, params, limit, patience)

    def follow(self, url: str) -> Answer:
        """Ask for an absolute URL that the shop itself named, if it is on the source's own origin.

        Raises:
            UpstreamGarbled: the URL leads elsewhere.
            UpstreamError: the subclass says how it went wrong.
        """
        try:
            same = _origin(url) == self._origin
        except ValueError as error:
            raise UpstreamGarbled("The shop's link to its next page is not a URL.") from error
        if not same:
            raise UpstreamGarbled("The shop's link to its next page leads to another host.")
        return self._ask(url, None, MAX_BODY, 1)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            opened, self._opened = self._opened, []
        for session in opened:
            session.close()

    def _ask(self, url: str, params: Mapping[str, str | int] | None, limit: int, patience: float) -> Answer:
        timeout = self._source.timeout.total_seconds() * patience
        self._throttle.wait(time.monotonic() + max(timeout, 60))
        deadline = time.monotonic() + timeout
        query = {**(params or {}), **{name: secret.reveal() for name, secret in self._source.credentials.query}}
        try:
            with self._session().get(
                url, params=query, timeout=timeout, stream=True, allow_redirects=False, headers=_request_id()
            ) as response:
                _refuse_errors(response)
                return Answer(url, {k.lower(): v for k, v in response.headers.items()}, _read(response, deadline, limit))
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            raise _translate(error) from error

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _new_session(self._source)
            with self._lock:
                self._opened.append(session)
        return session


def _new_session(source: Source) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc from the environment
    adapter = HTTPAdapter(max_retries=_RETRY, pool_connections=1, pool_maxsize=1)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.headers["User-Agent"] = f"Aisle/{__version__} (product catalogue; one crawl per schedule)"
    session.headers["Accept"] = "application/json, */*;q=0.5"
    session.headers["Accept-Encoding"] = "gzip"
    session.headers.update(source.headers)
    _authorise(session, source.credentials)
    return session


def _authorise(session: requests.Session, credentials: Credentials) -> None:
    if credentials.basic:
        username, password = credentials.basic
        session.auth = HTTPBasicAuth(username.reveal().encode(), password.reveal().encode())
    if credentials.bearer:
        session.headers["Authorization"] = f"Bearer {credentials.bearer.reveal()}"
    if credentials.header:
        name, value = credentials.header
        session.headers[name] = value.reveal()


def _request_id() -> dict[str, str]:
    request_id = current_request_id()
    return {"X-Request-ID": request_id} if request_id else {}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _refuse_errors(response: requests.Response) -> None:
    status = response.status_code
    if status == _OK:
        return
    if status == _THROTTLED or (status == _BUSY and "Retry-After" in response.headers):
        retry_after = parse_retry_after(response.headers.get("Retry-After"))
        raise UpstreamThrottled(f"The shop answered {status}: too many calls.", status, retry_after)
    if status < _ERRORS:
        what = "a redirect, which is not followed" if status >= 300 else "no list"  # noqa: PLR2004
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


def _read(response: requests.Response, deadline: float, limit: int) -> bytes:
    body = bytearray()
    raw: Any = response.raw
    while True:
        if time.monotonic() > deadline:
            raise UpstreamTimeout("The answer was not whole by the deadline.")
        # read1 returns what one receive gave, so a body that drips is seen between the drops.
        chunk = raw.read1(_CHUNK, decode_content=True)
        if not chunk:
            break
        body += chunk
        if len(body) > limit:
            raise UpstreamGarbled(f"The answer is larger than {limit // 2**20} MiB.")
    return bytes(body)


def _translate(error: Exception) -> UpstreamError:
    if isinstance(error, requests.ConnectionError) and not isinstance(error, requests.Timeout | requests.exceptions.SSLError):
        return UpstreamUnreachable(_connection_reason(error))
    return next((made(text) for kinds, made, text in _TRANSLATIONS if isinstance(error, kinds)), UpstreamGarbled(_NOT_HTTP))


_NOT_HTTP = "The shop's answer is not valid HTTP."
_TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], type[UpstreamError], str], ...] = (
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), UpstreamTimeout, "The shop did not answer in time."),
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
    if "NameResolution" in text or "getaddrinfo" in text or "Name or service not known" in text:
        return "The shop's host name does not resolve."
    if "refused" in text:
        return "The shop refuses connections."
    return "There is no connection to the shop, or it broke off."
