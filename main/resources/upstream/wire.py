"""One exchange with one host over HTTP: what is sent, what comes back, bounded in time and size."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from main.resources.upstream.bodies import read_body
from main.resources.upstream.faults import translate
from main.resources.upstream.watched import WatchedAdapter
from main.service.errors import UpstreamClosed, UpstreamError, UpstreamTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import PreparedRequest

    from main.resources.upstream.watchdog import Watchdog, WatchedCall

TOO_LATE = "The shop did not answer in time."
_CLOSED = "The call was given up: its source was closed meanwhile."
_OK = 200
_LEAST = 0.001


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, the headers (names in lower case) and, for a 200, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections to one host, each used by one thread at a time; so many are kept for the next calls, and one when all is quiet."""

    def __init__(self, watchdog: Watchdog, kept: int, proxy: str | None = None) -> None:
        self._watchdog = watchdog
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        # No retries of the library's: they know neither the deadline nor the source's budget.
        self._adapter = WatchedAdapter(max_retries=0, pool_connections=1, pool_maxsize=kept)
        self._calls: set[WatchedCall] = set()
        self._lock = threading.Lock()
        watchdog.when_quiet(self._adapter.trim)

    def send(self, request: PreparedRequest, deadline: float, limit: int) -> Reply:
        """Send a request and give the answer, whatever its status; redirects are answers.

        Raises:
            UpstreamTimeout: the answer was not whole by the deadline (monotonic seconds).
            UpstreamClosed: the wire was closed before that, or there is no thread to watch the call.
            UpstreamError: the subclass says how it went wrong.
        """
        with self._watched(deadline) as call:
            try:
                reply = self._exchange(request, deadline, limit)
            except UpstreamError as error:
                if call.ended:
                    raise _why_ended(call) from error
                raise
            except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
                raise _why_ended(call) if call.ended else translate(error) from error
            # A body without a told length that was cut off by the watchdog looks whole.
            if call.ended:
                raise _why_ended(call)
            return reply

    def close(self) -> None:
        """End the calls under way and close every connection."""
        with self._lock:
            calls = list(self._calls)
        for call in calls:
            call.give_up()
        self._watchdog.forget(self._adapter.trim)
        self._adapter.close()

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

    def _exchange(self, request: PreparedRequest, deadline: float, limit: int) -> Reply:
        if deadline - time.monotonic() < _LEAST:
            raise UpstreamTimeout(TOO_LATE)
        # Without a timeout of the library's, which is one for each operation: the watchdog ends the whole.
        answer: Any = self._adapter.send(request, stream=True, proxies=self._proxies)
        try:
            headers = {name.lower(): value for name, value in answer.headers.itermerged()}
            body = read_body(answer, headers, limit) if answer.status == _OK else b""
            return Reply(answer.status, headers, body)
        finally:
            answer.close()
            answer.release_conn()


def _why_ended(call: WatchedCall) -> UpstreamError:
    return UpstreamClosed(_CLOSED) if call.given_up else UpstreamTimeout(TOO_LATE)
