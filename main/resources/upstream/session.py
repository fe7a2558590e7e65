"""The one way out of the house: calls to one source, reads by GET or POST, bounded in time, size and direction."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import requests

from main.resources.upstream.asking import AGENT, Asker
from main.resources.upstream.faults import refuse_errors, translate
from main.resources.upstream.guard import Guard
from main.resources.upstream.oauth2 import TokenKeeper
from main.resources.upstream.retry import OneMoreTry
from main.resources.upstream.urls import Place, with_query
from main.resources.upstream.wire import Wire
from main.service.errors import TokenOutworn
from main.util.timed import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from main.resources.upstream.kept import Kept, KeptAnswers
    from main.resources.upstream.urls import Params
    from main.resources.upstream.watchdog import Watchdog
    from main.resources.upstream.wire import Reply
    from main.service.errors import UpstreamHeld
    from main.service.model import Source
    from main.util.secret import Secret

MAX_FEED = 1024 * 1024 * 1024
MAX_LOOK = 4 * 1024 * 1024
_LONGEST_TURN = 60.0
_UNCHANGED = 304
_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a shop: the URL asked, its headers (names in lower case) and its body, decompressed."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Session(Protocol):
    """What a connector asks its shop by, whoever answers."""

    def get(
        self,
        path: str = "",
        params: Params | None = None,
        *,
        limit: int | None = None,
        patience: float = 1,
        deadline: float | None = None,
    ) -> Answer:
        """Ask for ``path`` below the source's URL and give the whole answer, of at most ``limit`` bytes.

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """

    def post(self, path: str, params: Params | None, body: Mapping[str, Any], *, deadline: float | None = None) -> Answer:
        """Ask for ``path`` below the source's URL by a JSON body and give the whole answer.

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """

    def follow(self, url: str, *, deadline: float | None = None) -> Answer:
        """Ask for an absolute URL that the shop itself named.

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """

    def find_hold(self) -> UpstreamHeld | None:
        """Give why no call may begin, as it was a moment ago, or None."""

    def close(self) -> None:
        """End what is under way."""


@dataclass(slots=True)
class _Call:
    """A call and its tries; a crawl's deadline begins when its turn has come, a live look's stands from the start."""

    url: str
    seconds: float
    limit: int
    params: Params = field(default_factory=dict)
    body: bytes | None = None
    deadline: float | None = None
    token: Secret | None = None
    renewed: bool = False
    asked_at: float = 0.0
    kept: Kept | None = None

    @property
    def repeatable(self) -> bool:
        return self.body is None

    @property
    def whole_url(self) -> str:
        return with_query(self.url, self.params)


class UpstreamSession:
    """Calls to one source. Safe to use from several threads: each connection serves one call at a time, at most ``concurrency`` are kept.

    ``check`` raises UpstreamGarbled for a body that cannot be what was asked for, so that the guard learns of it too.
    """

    def __init__(
        self,
        source: Source,
        watchdog: Watchdog,
        guard: Guard | None = None,
        kept: KeptAnswers | None = None,
        *,
        check: Callable[[bytes], None] | None = None,
    ) -> None:
        self._source = source
        self._place = Place.of(source.url)
        self._check = check
        self._closed = threading.Event()
        self._guard = guard or Guard(source)
        self._asker = Asker(source)
        self._wire = Wire(watchdog, source.concurrency, source.proxy)
        self._tries = OneMoreTry(self._guard, self._closed)
        self._kept = kept
        tokens = source.credentials.oauth2
        self._tokens = TokenKeeper(tokens, Wire(watchdog, 1, source.proxy), AGENT) if tokens else None

    @timed
    def get(
        self,
        path: str = "",
        params: Params | None = None,
        *,
        limit: int | None = None,
        patience: float = 1,
        deadline: float | None = None,
    ) -> Answer:
        """Ask for ``path`` below the source's URL and give the whole answer, of at most ``limit`` bytes (the source's ``max_body``).

        It ends by ``deadline`` (monotonic seconds); without one, the source's timeout times ``patience`` after its turn has come.

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """
        return self._ask(self._call(self._place.below(path), params or {}, deadline, limit=limit, patience=patience))

    @timed
    def post(self, path: str, params: Params | None, body: Mapping[str, Any], *, deadline: float | None = None) -> Answer:
        """Ask for ``path`` below the source's URL by a JSON body, as GraphQL does, and give the whole answer; never tried twice.

        Raises:
            UpstreamError: the subclass says how it went wrong.
        """
        call = self._call(self._place.below(path), params or {}, deadline)
        call.body = json.dumps(body, allow_nan=False).encode()
        return self._ask(call)

    def follow(self, url: str, *, deadline: float | None = None) -> Answer:
        """Ask for an absolute URL that the shop itself named, if it is on the source's own origin and below its path.

        Raises:
            UpstreamGarbled: the URL leads elsewhere.
            UpstreamError: the subclass says how it went wrong.
        """
        return self._ask(self._call(self._place.linked(url), {}, deadline))

    def find_hold(self) -> UpstreamHeld | None:
        """Give why no call may begin, as it was a moment ago, or None."""
        return self._guard.find_hold()

    def close(self) -> None:
        """End the calls under way and every wait, and close every connection."""
        self._closed.set()
        self._guard.close()
        self._wire.close()
        if self._tokens is not None:
            self._tokens.close()

    def _call(
        self,
        url: str,
        params: Params,
        deadline: float | None,
        *,
        limit: int | None = None,
        patience: float = 1,
    ) -> _Call:
        seconds = self._source.timeout.total_seconds() * patience
        usual = self._source.max_body if deadline is None else min(self._source.max_body, MAX_LOOK)
        return _Call(url, seconds, usual if limit is None else limit, params, deadline=deadline)

    def _ask(self, call: _Call) -> Answer:
        if self._kept is not None and call.repeatable:
            call.asked_at = self._kept.now()  # before the call: what is purged while it is under way covers its answer too
            call.kept = self._kept.find(call.whole_url)
        return self._tries.run(self._try, call)

    def _try(self, call: _Call) -> Answer:
        call.renewed = False
        try:
            return self._make(call)
        except TokenOutworn:
            call.renewed = True
        return self._make(call)

    def _make(self, call: _Call) -> Answer:
        """Make the call once: a call on the wire that the guard lets begin and learns from."""
        turn = time.monotonic() + call.seconds + _LONGEST_TURN if call.deadline is None else call.deadline
        with self._guard.admitted(turn):
            if call.deadline is None:
                call.deadline = time.monotonic() + call.seconds
            if self._tokens is not None:
                call.token = self._tokens.token(call.deadline)
            reply = self._wire.send(self._request(call), call.deadline, call.limit)
            self._refuse_outworn(call, reply)
            return self._answer(call, reply)

    def _refuse_outworn(self, call: _Call, reply: Reply) -> None:
        """Return unless the shop did not take a token that may be an old one, which is forgotten then."""
        if reply.status != _UNAUTHORISED or call.renewed or call.token is None or self._tokens is None:
            return
        self._tokens.forget(call.token)
        raise TokenOutworn("The shop answered 401.", _UNAUTHORISED)

    def _request(self, call: _Call) -> requests.PreparedRequest:
        conditions = call.kept.conditions if call.kept else {}
        try:
            return self._asker.request(call.url, call.params, call.body, conditions, call.token)
        except (requests.RequestException, ValueError) as error:
            raise translate(error) from error

    def _answer(self, call: _Call, reply: Reply) -> Answer:
        if self._kept is not None and call.kept is not None and reply.status == _UNCHANGED:
            fresh = self._kept.renew(call.whole_url, call.kept, reply)
            return Answer(call.url, fresh.headers, fresh.body)
        refuse_errors(reply)
        if self._check is not None:
            self._check(reply.body)
        if self._kept is not None and call.repeatable:
            self._kept.keep(call.whole_url, reply, call.asked_at)
        return Answer(call.url, reply.headers, reply.body)
