"""The one way out of the house: calls to one source, reads by GET or POST, bounded in time, size and direction."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import structlog
import urllib3
from requests.auth import HTTPBasicAuth

from main import __version__
from main.resources.upstream.faults import refuse_errors, translate
from main.resources.upstream.throttle import Throttle
from main.resources.upstream.watchdog import WatchedAdapter
from main.service.errors import UpstreamGarbled, UpstreamTimeout
from main.util.logs import current_request_id
from main.util.timed import timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from main.resources.upstream.watchdog import Watchdog, WatchedCall
    from main.service.model import Credentials, Source

    Params = Mapping[str, str | int | Sequence[str]]

MAX_BODY = 64 * 1024 * 1024
MAX_FEED = 1024 * 1024 * 1024
_CHUNK = 64 * 1024
_LONGEST_TURN = 60.0
_TOO_LATE = "The shop did not answer in time."
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


@dataclass(frozen=True, slots=True)
class _Call:
    url: str
    params: Params | None = None
    limit: int = MAX_BODY
    body: Mapping[str, Any] | None = None
    deadline: float | None = None


class UpstreamSession:
    """Calls to one source; each thread has its own ``requests.Session``, because its state is not for sharing."""

    def __init__(self, source: Source, watchdog: Watchdog) -> None:
        self._source = source
        self._watchdog = watchdog
        self._origin = _origin(source.url)
        self._closed = threading.Event()
        self._throttle = Throttle(source.rate, self._closed)
        self._calls: set[WatchedCall] = set()
        self._local = threading.local()
        self._opened: list[requests.Session] = []
        self._lock = threading.Lock()

    @timed
    def get(
        self,
        path: str = "",
        params: Params | None = None,
        *,
        limit: int = MAX_BODY,
        patience: float = 1,
        deadline: float | None = None,
    ) -> Answer:
        """Ask for ``path`` below the source's URL and give the whole answer; ``patience`` stretches the timeout.

        A list among ``params`` is sent as one parameter for each of its texts; the call ends by ``deadline`` (monotonic seconds).

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """
        return self._ask(_Call(self._source.url + path, params, limit, deadline=deadline), patience)

    @timed
    def post(self, path: str, params: Params | None, body: Mapping[str, Any], *, deadline: float | None = None) -> Answer:
        """Ask for ``path`` below the source's URL by a JSON body, as GraphQL does, and give the whole answer.

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """
        return self._ask(_Call(self._source.url + path, params, body=body, deadline=deadline), 1)

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
        return self._ask(_Call(url), 1)

    def close(self) -> None:
        """End the calls under way and close every connection."""
        self._closed.set()
        with self._lock:
            calls, opened, self._opened = list(self._calls), self._opened, []
        for call in calls:
            call.end()
        for session in opened:
            session.close()

    def _ask(self, wanted: _Call, patience: float) -> Answer:
        timeout = self._source.timeout.total_seconds() * patience
        if wanted.deadline is not None:
            timeout = min(timeout, wanted.deadline - time.monotonic())
            if timeout <= 0:
                raise UpstreamTimeout(_TOO_LATE)
        self._throttle.wait(time.monotonic() + max(timeout, _LONGEST_TURN))
        with self._watched(time.monotonic() + timeout) as call:
            try:
                answer = self._call(wanted, timeout)
            except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
                raise UpstreamTimeout(_TOO_LATE) if call.ended else translate(error) from error
            # A body without a told length that was cut off by the watchdog looks whole.
            if call.ended:
                raise UpstreamTimeout(_TOO_LATE)
            return answer

    @contextmanager
    def _watched(self, deadline: float) -> Iterator[WatchedCall]:
        with self._watchdog.watching(deadline) as call:
            with self._lock:
                self._calls.add(call)
            try:
                yield call
            finally:
                with self._lock:
                    self._calls.discard(call)

    def _call(self, wanted: _Call, timeout: float) -> Answer:
        query = {**(wanted.params or {}), **{name: secret.reveal() for name, secret in self._source.credentials.query}}
        method = "GET" if wanted.body is None else "POST"
        with self._session().request(
            method,
            wanted.url,
            params=query,
            json=wanted.body,
            timeout=timeout,
            stream=True,
            allow_redirects=False,
            headers=_request_id(),
        ) as response:
            refuse_errors(response)
            return Answer(wanted.url, {k.lower(): v for k, v in response.headers.items()}, _read(response, wanted.limit))

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
    adapter = WatchedAdapter(max_retries=_RETRY, pool_connections=1, pool_maxsize=1)
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


def _read(response: requests.Response, limit: int) -> bytes:
    body = bytearray()
    raw: Any = response.raw
    while chunk := raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > limit:
            raise UpstreamGarbled(f"The answer is larger than {limit // 2**20} MiB.")
    return bytes(body)
