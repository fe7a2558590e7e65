"""Access tokens: fetched once for all threads, renewed before they end or when the shop refuses one, told to the right hosts alone."""

import base64
import json
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug import Response

from main.resources.guards.memory import MemoryGuardBook
from main.resources.upstream import oauth2 as module
from main.resources.upstream.breaker import FAILURES_IN_ROW
from main.resources.upstream.guard import Guard
from main.resources.upstream.looks import unless_gone
from main.service.errors import (
    NoAccessToken,
    UpstreamError,
    UpstreamGarbled,
    UpstreamOpen,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
)
from main.service.model import BreakerState, Credentials, OAuth2
from main.util.secret import Secret
from test.fakes import make_source
from test.unit.resources.upstream.shops import canned

GENEROUS = 5


class Endpoint:
    """Gives tokens t1, t2, ... unless it is told what else to answer."""

    def __init__(self):
        self.requests = []
        self.answer = None
        self.seconds = 3600
        self.wait = 0

    def __call__(self, request):
        self.requests.append((request.method, request.headers, request.form.to_dict()))
        time.sleep(self.wait)
        if self.answer is not None:
            return self.answer
        token = f"t{len(self.requests)}"
        return Response(f'{{"access_token": "{token}", "token_type": "Bearer", "expires_in": {self.seconds}, "scope": "less"}}')


class Shop:
    """Takes the tokens it is told to take."""

    def __init__(self, *good):
        self.good = good
        self.asked = []

    def __call__(self, request):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append(token)
        return Response(b"[]", 200 if not self.good or token in self.good else 401)


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def open_to(session_to, serve, endpoint):
    """Return a function that opens a session to a shop whose tokens come from the endpoint."""

    def open_session(shop, **more):
        settings = OAuth2(f"{serve(canned(endpoint))}/token", Secret("the:id"), Secret("the secret"), "read write")
        return session_to(
            serve(canned(shop)), credentials=Credentials(oauth2=replace(settings, **more.pop("oauth2", {}))), **more
        )

    return open_session


def test_a_token_is_fetched_once_and_sent_with_every_call(open_to, endpoint):
    shop = Shop("t1")
    session = open_to(shop)
    session.get()
    session.post("", None, {})
    assert shop.asked == ["t1", "t1"]
    ((method, headers, form),) = endpoint.requests
    assert (method, form) == ("POST", {"grant_type": "client_credentials", "scope": "read write"})
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"the%3Aid:the+secret"
    assert headers["User-Agent"].startswith("Aisle/")


def test_an_audience_is_asked_for_where_there_is_one(open_to, endpoint):
    open_to(Shop(), oauth2={"audience": "shop", "scope": None}).get()
    assert endpoint.requests[0][2] == {"grant_type": "client_credentials", "audience": "shop"}


def test_many_threads_cause_one_call(open_to, endpoint):
    endpoint.wait = 0.2
    session = open_to(Shop(), concurrency=16)
    callers = [threading.Thread(target=session.get) for _ in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(GENEROUS)
    assert len(endpoint.requests) == 1


def test_a_token_is_renewed_before_its_end(open_to, endpoint, monkeypatch):
    now = [0.0]
    shop = Shop()
    session = open_to(shop)
    real = time.monotonic

    class Later:
        """The clock, moved on by hand."""

        @staticmethod
        def monotonic():
            return real() + now[0]

    monkeypatch.setattr(module, "time", Later)
    for seconds in (0, 3500, 3580):
        now[0] = seconds
        session.get("", deadline=real() + seconds + GENEROUS)
    assert shop.asked == ["t1", "t1", "t2"]


def test_a_token_that_the_shop_refuses_is_renewed_once(open_to, endpoint):
    shop = Shop("t2")
    assert open_to(shop).get().body == b"[]"
    assert shop.asked == ["t1", "t2"]


def test_an_old_token_that_is_refused_says_nothing_of_a_shop_that_takes_the_new_one(open_to, endpoint):
    book, now = MemoryGuardBook(), time.time()
    book.change(
        "acme", lambda state: (replace(state, opened_at=now - 6, open_until=now - 1), None)
    )  # the next call tries the shop
    session = open_to(Shop("t2"), guard=Guard(make_source(), book))
    assert session.get().body == b"[]"
    state = book.read("acme")
    assert (state.breaker(time.time()), state.failures, state.calls) == (BreakerState.CLOSED, 0, 1)


def test_a_new_token_that_is_refused_is_a_failure_of_the_shop(open_to, endpoint):
    book = MemoryGuardBook()
    session = open_to(Shop("none"), guard=Guard(make_source(), book))
    with pytest.raises(UpstreamRefused):
        session.get()
    assert (book.read("acme").failures_in_row, book.read("acme").calls) == (1, 1)


def test_a_shop_that_refuses_every_token_is_asked_twice(open_to, endpoint):
    shop = Shop("none")
    with pytest.raises(UpstreamRefused, match="The shop answered 401"):
        open_to(shop).get()
    assert shop.asked == ["t1", "t2"]


def test_a_refusal_drops_no_newer_token(open_to, endpoint):
    session = open_to(Shop())
    session.get()
    session._tokens.forget(Secret("t0"))  # what another thread still had in hand
    session.get()
    assert len(endpoint.requests) == 1


def test_a_refused_token_is_dropped_without_waiting_for_the_next_one(open_to, endpoint):
    refused = threading.Event()

    def shop(request):
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token == "t1" and request.path == "/late":
            refused.wait(GENEROUS)  # its refusal comes while another call fetches a token
        return Response(b"[]", 200 if request.path == "/first" else 401)

    session = open_to(shop, concurrency=2)
    session.get("/first")
    endpoint.wait = 4.0
    took = []

    def call():
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            session.get("/late", deadline=began + 0.8)
        took.append(time.monotonic() - began)

    def renew():
        with pytest.raises(UpstreamTimeout):
            session.get("/early", deadline=time.monotonic() + 3.5)

    callers = [threading.Thread(target=call), threading.Thread(target=renew)]
    for caller in callers:
        caller.start()
    until = time.monotonic() + GENEROUS
    while len(endpoint.requests) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    refused.set()
    for caller in callers:
        caller.join(GENEROUS)
    assert took[0] < 3  # as long as the other call waits for its token, it would be 3.5 s


def test_secrets_go_where_they_belong(open_to, endpoint):
    seen = []

    def shop(request):
        seen.append(str(request.headers) + request.url + request.get_data(as_text=True))
        return Response(b"[]")

    open_to(shop).get("/x", {"a": 1})
    assert "secret" not in seen[0]
    assert base64.b64encode(b"the%3Aid").decode()[:8] not in seen[0]
    assert "t1" not in str(endpoint.requests[0][1])


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Response(b"", 500), NoAccessToken, "The token endpoint of auth.oauth2 answered 500"),
        (Response(b"", 401), NoAccessToken, "The token endpoint of auth.oauth2 answered 401"),
        (Response(b"", 404), NoAccessToken, "The token endpoint of auth.oauth2 answered 404"),
        (Response(b"", 302, {"Location": "http://evil.example"}), NoAccessToken, "of auth.oauth2 answered 302"),
        (Response(b"", 429, {"Retry-After": "7"}), UpstreamThrottled, "The token endpoint of auth.oauth2 answered 429"),
        (Response(b"<html>"), UpstreamGarbled, "not the JSON of RFC 6749"),
        (Response(b"[" * 60_000), UpstreamGarbled, "not the JSON of RFC 6749"),
        (Response(b'{"access_token": "t", "expires_in": 1e400}'), UpstreamGarbled, "not the JSON of RFC 6749"),
        (Response(b'{"access_token": 7}'), UpstreamGarbled, "not the JSON of RFC 6749"),
        (Response(b'{"token_type": "Bearer"}'), UpstreamGarbled, "gave no token: missing_token"),
        (Response(b'{"error": "invalid_scope"}'), UpstreamGarbled, "gave no token: invalid_scope"),
        (Response(b'{"access_token": "t", "token_type": "mac"}'), UpstreamGarbled, "kind other than Bearer"),
        *(
            (Response(json.dumps({"access_token": token})), NoAccessToken, "gave a token that cannot be sent")
            for token in ("", "a\nb", "a\r\nX: y", "a b", "t\n", "é", "\x7f", "\x00")
        ),
        (Response(b" " * 100_000), UpstreamGarbled, "larger than 64 KiB"),
    ],
)
def test_what_is_no_token_is_an_error_of_ours(open_to, endpoint, answer, error, words):
    endpoint.answer = answer
    shop = Shop()
    with pytest.raises(UpstreamError, match=words) as caught:
        open_to(shop).get()
    assert type(caught.value) is error
    assert shop.asked == []


@pytest.mark.parametrize("token", ["abc.DEF-1_2~3+4/5==", "v^1.1#i^1#p^3", "1234|abcd", "x" * 4000])
def test_a_token_may_hold_all_that_a_header_can(open_to, endpoint, token):
    endpoint.answer, shop = Response(json.dumps({"access_token": token})), Shop()
    open_to(shop).get()
    assert shop.asked == [token]


def test_a_token_that_cannot_be_sent_is_not_kept(open_to, endpoint):
    endpoint.answer, shop = Response('{"access_token": "a\\nb", "expires_in": 86400}'), Shop()
    session = open_to(shop)
    with pytest.raises(NoAccessToken):
        session.get()
    endpoint.answer = None
    session.get()
    assert shop.asked == ["t2"]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_of_the_endpoint_says_nothing_about_a_product_and_counts_as_a_failure(open_to, endpoint, status):
    endpoint.answer, shop, book = Response(b"", status), Shop(), MemoryGuardBook()
    session = open_to(shop, guard=Guard(make_source(), book))
    for _ in range(FAILURES_IN_ROW):
        with pytest.raises(NoAccessToken):
            unless_gone(session.get)
    with pytest.raises(UpstreamOpen):
        session.get()
    assert (shop.asked, len(endpoint.requests)) == ([], FAILURES_IN_ROW)


@pytest.mark.parametrize("told", ["null", '"3600"', '"soon"', "-1", "1e300", "0.5", '"nan"'])
def test_any_lifetime_is_made_sense_of(open_to, endpoint, told):
    endpoint.answer = Response(f'{{"access_token": "t", "expires_in": {told}}}')
    assert open_to(Shop("t")).get().body == b"[]"


def test_an_endpoint_that_hangs_ends_with_the_call(open_to, endpoint):
    endpoint.wait = 1.0
    session = open_to(Shop(), timeout=timedelta(milliseconds=200))
    errors = []

    def call():
        with pytest.raises(UpstreamTimeout) as caught:
            session.get()
        errors.append(caught.value)

    began = time.monotonic()
    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(GENEROUS)
    assert len(errors) == 4
    assert time.monotonic() - began < GENEROUS
