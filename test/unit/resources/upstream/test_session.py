"""The way out: every fault of a shop has its own error, bounded in time, size and direction."""

import gzip
import logging
import re
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug import Response

from main.resources.guards.memory import MemoryGuardBook
from main.resources.upstream.faults import parse_retry_after
from main.resources.upstream.guard import Guard
from main.resources.upstream.urls import quote_id
from main.service.errors import (
    UpstreamClosed,
    UpstreamError,
    UpstreamGarbled,
    UpstreamOpen,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from main.service.model import Credentials, Rate
from main.util.logs import request_context
from main.util.metrics import TIMINGS
from main.util.secret import Secret
from test.fakes import make_source
from test.unit.resources.upstream.shops import KeepingShop, canned, reply

SHORT = timedelta(milliseconds=300)
GENEROUS = 5.0


@pytest.fixture
def seen(serve):
    """Return what a shop saw of each request, and its URL."""
    requests = []

    def answer(request):
        requests.append(request)
        return Response(b"[]")

    return requests, serve(canned(answer))


class TestAnswers:
    def test_an_answer_has_its_url_its_headers_in_lower_case_and_its_body(self, session_to, raw_shop):
        shop = raw_shop(reply(b'{"a": 1}', "X-WP-Total: 7"))
        answer = session_to(shop.url).get("/products", {"limit": 2})
        assert (answer.url, answer.body, answer.headers["x-wp-total"]) == (f"{shop.url}/products", b'{"a": 1}', "7")
        assert shop.requests[0].startswith(b"GET /products?limit=2 HTTP/1.1\r\n")

    def test_a_gzip_answer_comes_decompressed(self, session_to, raw_shop):
        shop = raw_shop(reply(gzip.compress(b"[1]" * 1000), "Content-Encoding: gzip"))
        assert session_to(shop.url).get().body == b"[1]" * 1000
        assert b"Accept-Encoding: gzip\r\n" in shop.requests[0]

    def test_a_chunked_answer_comes_whole(self, session_to, raw_shop):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        shop = raw_shop([head, b"2\r\n[1\r\n", b"1\r\n]\r\n", b"0\r\n\r\n"])
        assert session_to(shop.url).get().body == b"[1]"

    def test_an_answer_without_a_length_ends_with_the_connection(self, session_to, raw_shop):
        assert session_to(raw_shop(b"HTTP/1.0 200 OK\r\n\r\n[1]").url).get().body == b"[1]"

    def test_a_body_is_posted_as_json_and_a_post_is_not_tried_again(self, session_to, serve):
        asked = []

        def answer(request):
            asked.append((request.method, request.path, request.args.get("q"), request.get_json()))
            return Response(b"[]", status=502 if len(asked) > 1 else 200)

        session = session_to(serve(canned(answer)))
        assert session.post("/graphql", {"q": "x"}, {"query": "{a}"}).body == b"[]"
        assert asked == [("POST", "/graphql", "x", {"query": "{a}"})]
        with pytest.raises(UpstreamRefused):
            session.post("/graphql", None, {})
        assert len(asked) == 2

    def test_every_call_is_counted(self, session_to, seen):
        before = TIMINGS.snapshot().get("UpstreamSession.get")
        session_to(seen[1]).get()
        assert TIMINGS.snapshot()["UpstreamSession.get"].count == (before.count if before else 0) + 1

    def test_a_closed_session_closes_again_without_harm_and_still_answers(self, session_to, seen):
        session = session_to(seen[1])
        session.close()
        session.close()
        assert session.get().body == b"[]"

    def test_calls_that_were_given_up_say_nothing_about_the_shop(self, session_to, raw_shop):
        book, source, caught = MemoryGuardBook(), make_source(concurrency=6), []

        def call():
            with pytest.raises(UpstreamClosed) as error:
                session.get()
            caught.append(error)

        with KeepingShop(each=100, wait=GENEROUS) as shop:
            session = session_to(shop.url, guard=Guard(source, book), concurrency=6)
            callers = [threading.Thread(target=call) for _ in range(6)]
            for caller in callers:
                caller.start()
            until = time.monotonic() + GENEROUS
            while shop.open < 6 and time.monotonic() < until:
                time.sleep(0.01)
            session.close()
            for caller in callers:
                caller.join(GENEROUS)
        state = book.read(source.name)
        assert (len(caught), state.failures_in_row, state.failures, state.opened_at) == (6, 0, 0, None)


class TestRequests:
    def test_the_shop_learns_who_asks_and_what_is_wanted(self, session_to, seen):
        requests, url = seen
        session_to(url).get()
        assert requests[0].headers["User-Agent"].startswith("Aisle/")
        assert requests[0].headers["Accept"].startswith("application/json")
        assert "Authorization" not in requests[0].headers
        assert "X-Request-ID" not in requests[0].headers

    @pytest.mark.parametrize(
        ("credentials", "header", "value"),
        [
            (Credentials(bearer=Secret("t0ken")), "Authorization", "Bearer t0ken"),
            (Credentials(basic=(Secret("kéy"), Secret("s:1"))), "Authorization", "Basic a8OpeTpzOjE="),
            (Credentials(header=("X-Shopify-Access-Token", Secret("t0ken"))), "X-Shopify-Access-Token", "t0ken"),
        ],
    )
    def test_credentials_travel_in_their_header(self, session_to, seen, credentials, header, value):
        requests, url = seen
        session_to(url, credentials=credentials).get()
        assert requests[0].headers[header] == value

    def test_credentials_in_the_query_stand_beside_the_parameters(self, session_to, seen):
        requests, url = seen
        answer = session_to(url, credentials=Credentials(query=(("key", Secret("a&b")), ("secret", Secret("s"))))).get(
            "/x", {"page": 2}
        )
        assert requests[0].args.to_dict() == {"page": "2", "key": "a&b", "secret": "s"}
        assert "a&b" not in answer.url

    def test_credentials_in_the_query_follow_to_the_next_page(self, session_to, seen):
        requests, url = seen
        session_to(url, credentials=Credentials(query=(("key", Secret("k")),))).follow(f"{url}/x?page_info=abc")
        assert requests[0].args.to_dict() == {"page_info": "abc", "key": "k"}

    def test_headers_of_the_settings_are_sent(self, session_to, seen):
        requests, url = seen
        session_to(url, headers={"Accept-Language": "ar", "User-Agent": "own"}).get()
        assert (requests[0].headers["Accept-Language"], requests[0].headers["User-Agent"]) == ("ar", "own")

    def test_the_request_id_is_passed_on(self, session_to, seen):
        requests, url = seen
        with request_context("r-1"):
            session_to(url).get()
        assert requests[0].headers["X-Request-ID"] == "r-1"

    def test_proxies_and_logins_of_the_environment_are_ignored(self, session_to, seen, closed_port, monkeypatch, tmp_path):
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
        requests, url = seen
        assert session_to(url).get().body == b"[]"
        assert "Authorization" not in requests[0].headers

    def test_a_header_that_http_forbids_is_an_error_of_ours_and_shows_nothing(self, session_to, seen):
        with pytest.raises(UpstreamGarbled) as caught:
            session_to(seen[1], credentials=Credentials(bearer=Secret("hunter2\nX: y"))).get()
        assert "hunter2" not in str(caught.value)
        assert seen[0] == []


class TestStatus:
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 500, 503])
    def test_an_error_status_is_told(self, session_to, serve, status):
        with pytest.raises(UpstreamRefused, match=rf"^The shop answered {status}\.$") as caught:
            session_to(serve(canned(lambda _: Response(b"secret page", status)))).get()
        assert caught.value.status == status
        assert not isinstance(caught.value, UpstreamThrottled)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_is_not_followed(self, session_to, serve, seen, status):
        requests, elsewhere = seen
        with pytest.raises(UpstreamRefused, match="a redirect, which is not followed"):
            session_to(serve(canned(lambda _: Response(b"", status, {"Location": elsewhere})))).get()
        assert requests == []

    @pytest.mark.parametrize("status", [201, 204, 206])
    def test_another_success_is_no_list(self, session_to, serve, status):
        with pytest.raises(UpstreamRefused, match="no list"):
            session_to(serve(canned(lambda _: Response(b"", status)))).get()

    @pytest.mark.parametrize(
        ("status", "header", "seconds"),
        [(429, "7", 7.0), (429, "9999", 60.0), (429, "soon", 60.0), (429, None, None), (503, "2", 2.0), (503, "", 60.0)],
    )
    def test_a_throttled_call_says_for_how_long(self, session_to, serve, status, header, seconds):
        headers = {} if header is None else {"Retry-After": header}
        with pytest.raises(UpstreamThrottled) as caught:
            session_to(serve(canned(lambda _: Response(b"", status, headers)))).get()
        assert (caught.value.status, caught.value.retry_after) == (status, seconds)

    def test_a_date_to_come_back_at_counts_from_now(self, session_to, serve):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
        with pytest.raises(UpstreamThrottled) as caught:
            session_to(serve(canned(lambda _: Response(b"", 429, {"Retry-After": date})))).get()
        assert 20 < caught.value.retry_after <= 30

    @pytest.mark.parametrize("status", [502, 504])
    def test_a_gateway_that_stumbles_is_asked_once_more(self, session_to, serve, status):
        calls = []

        def answer(request):
            calls.append(request)
            return Response(b"[]", status if len(calls) == 1 else 200)

        assert session_to(serve(canned(answer))).get().body == b"[]"
        assert len(calls) == 2

    @pytest.mark.parametrize(("status", "calls"), [(502, 2), (503, 2), (504, 2), (500, 1), (429, 1), (404, 1)])
    def test_no_status_is_asked_for_more_often(self, session_to, serve, status, calls):
        made = []
        with pytest.raises(UpstreamRefused):
            session_to(serve(canned(lambda request: made.append(request) or Response(b"", status)))).get()
        assert len(made) == calls


class TestSecondTries:
    def test_a_shop_that_hangs_up_without_a_word_is_asked_once_more(self, session_to, raw_shop):
        shop = raw_shop(b"", reply(b"[1]"))
        assert session_to(shop.url).get().body == b"[1]"
        assert len(shop.requests) == 2

    def test_a_kept_connection_that_the_shop_has_given_up_costs_nothing(self, session_to):
        with KeepingShop(each=1) as shop:
            session = session_to(shop.url)
            assert [session.get().body for _ in range(3)] == [b"[]"] * 3
            assert shop.connections == 3
            session.close()

    @pytest.mark.parametrize("answer", [b"", reply(status="502 Bad Gateway")])
    def test_a_post_is_never_made_twice(self, session_to, raw_shop, answer):
        shop = raw_shop(answer)
        with pytest.raises(UpstreamError):
            session_to(shop.url).post("", None, {})
        assert len(shop.requests) == 1

    def test_an_answer_that_had_begun_is_not_asked_for_again(self, session_to, raw_shop):
        shop = raw_shop(reply(b"[1", length=1000))
        with pytest.raises(UpstreamUnreachable):
            session_to(shop.url).get()
        assert len(shop.requests) == 1

    def test_both_tries_and_the_pause_end_by_one_deadline(self, session_to, raw_shop):
        shop = raw_shop(reply(status="503 Busy"), [])
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            session_to(shop.url, timeout=timedelta(seconds=30)).get(deadline=began + 1.5)
        assert time.monotonic() - began < GENEROUS
        assert len(shop.requests) == 2

    def test_the_guard_is_asked_for_each_call_on_the_wire_and_learns_how_it_went(self, session_to, raw_shop):
        guard = ListeningGuard()
        session = session_to(raw_shop(reply(status="502 Bad Gateway"), reply()).url, guard=guard)
        session.get()
        assert [type(error) for error in guard.ends] == [UpstreamRefused, type(None)]
        assert guard.retries == 1
        session.close()
        assert guard.closed

    def test_a_guard_that_lets_nothing_begin_is_obeyed(self, session_to, seen):
        with pytest.raises(UpstreamOpen):
            session_to(seen[1], guard=ListeningGuard(UpstreamOpen("The breaker is open."))).get()
        assert seen[0] == []


class ListeningGuard:
    """Lets calls begin, unless it has an error to raise, and remembers how they ended."""

    def __init__(self, held=None):
        self.held, self.ends, self.turns, self.retries, self.closed = held, [], [], 0, False

    @contextmanager
    def admitted(self, deadline):
        self.turns.append(deadline)
        if self.held:
            raise self.held
        try:
            yield
        except UpstreamError as error:
            self.ends.append(error)
            raise
        self.ends.append(None)

    def may_retry(self):
        self.retries += 1
        return True

    def close(self):
        self.closed = True


class TestDeadlines:
    def test_a_live_look_waits_for_its_turn_no_longer_than_its_deadline(self, session_to, seen):
        guard, deadline = ListeningGuard(), time.monotonic() + 7
        session_to(seen[1], guard=guard).get(deadline=deadline)
        assert guard.turns == [deadline]

    def test_a_crawl_may_wait_a_minute_more(self, session_to, seen):
        guard = ListeningGuard()
        session_to(seen[1], guard=guard).get()
        assert 60 < guard.turns[0] - time.monotonic() <= 65

    @pytest.mark.parametrize("make", ["get", "post", "follow"])
    def test_every_way_to_ask_takes_a_deadline(self, session_to, raw_shop, make):
        url = raw_shop([]).url
        session = session_to(url, timeout=timedelta(seconds=60))
        given = {"get": ("",), "post": ("", None, {}), "follow": (url,)}[make]
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            getattr(session, make)(*given, deadline=began + 0.2)
        assert time.monotonic() - began < GENEROUS


class TestRetryAfter:
    NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC).timestamp()

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            (None, None),
            ("0", 0.0),
            (" 5 ", 5.0),
            ("61", 60.0),
            ("9" * 5000, 60.0),
            ("-5", 60.0),
            ("1.5", 60.0),
            ("\u0665", 60.0),
            ("", 60.0),
            ("Sat, 21 Nov 2026 09:30:20 GMT", 20.0),
            ("Sat, 21 Nov 2026 10:30:20 +0100", 20.0),
            ("Sat, 21 Nov 2026 09:00:00 GMT", 60.0),
            ("Sat, 21 Nov 2027 09:00:00 GMT", 60.0),
            ("Sat, 99 Nov 2026 99:00:00 GMT", 60.0),
        ],
    )
    def test_seconds_or_a_date_are_read_and_anything_else_is_the_cap(self, value, seconds):
        assert parse_retry_after(value, now=self.NOW) == seconds


class TestTime:
    def test_a_shop_that_accepts_and_never_answers_is_given_up(self, session_to, raw_shop):
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout, match="did not answer in time"):
            session_to(raw_shop([]).url, timeout=SHORT).get()
        assert time.monotonic() - began < GENEROUS

    def test_a_body_that_stops_is_given_up(self, session_to, raw_shop):
        with pytest.raises(UpstreamTimeout):
            session_to(raw_shop([reply(b"[", length=100)]).url, timeout=SHORT).get()

    def test_a_body_that_drips_is_given_up_at_the_deadline(self, session_to, raw_shop):
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout, match="did not answer in time"):
            session_to(raw_shop([reply(b"[", length=1000), *[b" "] * 500]).url, timeout=SHORT).get()
        assert time.monotonic() - began < GENEROUS

    def test_a_compressed_body_that_drips_is_given_up_too(self, session_to, raw_shop):
        body = gzip.compress(bytes(range(256)) * 4, 0)
        pieces = [body[i : i + 2] for i in range(0, len(body), 2)]
        with pytest.raises(UpstreamTimeout):
            session_to(raw_shop([reply(b"", "Content-Encoding: gzip", length=len(body)), *pieces]).url, timeout=SHORT).get()

    def test_patience_stretches_the_time(self, session_to, raw_shop):
        shop = raw_shop([reply(b"[", length=10), *[b" "] * 9])
        assert len(session_to(shop.url, timeout=SHORT).get(patience=20).body) == 10

    def test_a_rate_spaces_the_calls_out(self, session_to, seen):
        session = session_to(seen[1], rate=Rate(2, SHORT))
        began = time.monotonic()
        for _ in range(5):
            session.get()
        assert 0.6 <= time.monotonic() - began < GENEROUS


class TestConnection:
    def test_a_port_nobody_listens_on_refuses(self, session_to, closed_port):
        with pytest.raises(UpstreamUnreachable, match="The shop refuses connections"):
            session_to(f"http://127.0.0.1:{closed_port}").get()

    def test_a_host_that_does_not_exist_does_not_resolve(self, session_to):
        with pytest.raises(UpstreamUnreachable, match="does not resolve"):
            session_to("http://shop.invalid").get()

    def test_a_shop_that_hangs_up_without_a_word_is_unreachable(self, session_to, raw_shop):
        with pytest.raises(UpstreamUnreachable, match="no connection to the shop, or it broke off"):
            session_to(raw_shop(b"").url).get()

    def test_plain_http_on_the_https_port_is_a_refused_handshake(self, session_to, raw_shop):
        with pytest.raises(UpstreamUnreachable, match="TLS certificate or handshake"):
            session_to(raw_shop(reply()).url.replace("http:", "https:")).get()

    @pytest.mark.parametrize(
        "answer",
        [
            reply(b"[1", length=1000),
            reply(b"", length=1000),
            reply(gzip.compress(b"[1]")[:-9], "Content-Encoding: gzip", length=len(gzip.compress(b"[1]"))),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[1",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n",
        ],
    )
    def test_a_body_that_breaks_off_is_never_taken_for_whole(self, session_to, raw_shop, answer):
        with pytest.raises(UpstreamUnreachable, match="broke off"):
            session_to(raw_shop(answer).url).get()

    def test_broken_compression_is_garbled(self, session_to, raw_shop):
        with pytest.raises(UpstreamGarbled, match="compression is broken"):
            session_to(raw_shop(reply(b"this is not gzip", "Content-Encoding: gzip")).url).get()

    @pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"SSH-2.0-OpenSSH\r\n"])
    def test_what_is_not_http_is_an_upstream_error(self, session_to, raw_shop, answer):
        with pytest.raises(UpstreamError):
            session_to(raw_shop(answer).url).get()

    def test_a_url_that_cannot_be_asked_is_garbled(self, session_to):
        with pytest.raises(UpstreamError):
            session_to("http://a..b/").get()

    def test_a_key_in_the_query_stays_out_of_the_error_and_of_the_log(self, session_to, closed_port, capsys):
        from main.util.logs import configure_logs  # noqa: PLC0415 - the one test that needs logs as they run in production

        root, urllib3 = logging.getLogger(), logging.getLogger("urllib3")
        before = root.handlers, root.level, urllib3.level
        try:
            configure_logs("error", terminal=False)
            with pytest.raises(UpstreamUnreachable) as caught:
                session_to(f"http://127.0.0.1:{closed_port}", credentials=Credentials(query=(("k", Secret("hunter2")),))).get()
        finally:
            root.handlers, root.level = before[0], before[1]
            urllib3.setLevel(before[2])
        assert "hunter2" not in str(caught.value) + capsys.readouterr().err


class TestSize:
    @pytest.mark.parametrize("size", [2**20 + 1, 2**22])
    def test_an_answer_larger_than_the_limit_is_refused(self, session_to, raw_shop, size):
        with pytest.raises(UpstreamGarbled, match="larger than 1 MiB"):
            session_to(raw_shop(reply(b" " * size)).url).get(limit=2**20)

    def test_an_answer_as_large_as_the_limit_is_taken(self, session_to, raw_shop):
        assert len(session_to(raw_shop(reply(b" " * 2**20)).url).get(limit=2**20).body) == 2**20

    def test_the_source_says_how_large_an_answer_may_be(self, session_to, raw_shop):
        shop = raw_shop(reply(b" " * 2048))
        assert len(session_to(shop.url, max_body=2048).get().body) == 2048
        with pytest.raises(UpstreamGarbled, match="larger than 1 KiB"):
            session_to(shop.url, max_body=1024).get()

    def test_a_live_look_takes_less(self, session_to, raw_shop):
        shop = raw_shop(reply(b" " * (2**22 + 1)))
        assert len(session_to(shop.url).get().body) == 2**22 + 1
        with pytest.raises(UpstreamGarbled, match="larger than 4 MiB"):
            session_to(shop.url).get(deadline=time.monotonic() + 20)


class TestDirection:
    def test_a_proxy_of_the_settings_is_used_for_every_call(self, session_to, seen):
        requests, proxy = seen
        assert session_to("http://shop.invalid/api", proxy=proxy).get("/x").body == b"[]"
        assert (requests[0].host, requests[0].path) == ("shop.invalid", "/api/x")

    def test_the_proxies_and_logins_of_the_environment_are_never_contacted(
        self, session_to, seen, raw_shop, monkeypatch, tmp_path
    ):
        trap = raw_shop(reply(b"caught"))
        (tmp_path / ".netrc").write_text("default login me password hunter2\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, trap.url)
        monkeypatch.setenv("NO_PROXY", "")
        requests, url = seen
        for ask in (lambda s: s.get("/x"), lambda s: s.post("/x", None, {}), lambda s: s.follow(f"{url}/x")):
            assert ask(session_to(url)).body == b"[]"
        with pytest.raises(UpstreamUnreachable):
            session_to("https://shop.invalid").get()
        assert trap.requests == []
        assert not any("Authorization" in request.headers for request in requests)

    def test_cookies_are_not_carried_to_the_next_call(self, session_to, serve):
        asked = []

        def answer(request):
            asked.append(request.headers.get("Cookie"))
            return Response(b"[]", headers={"Set-Cookie": "track=1"})

        session = session_to(serve(canned(answer)))
        session.get()
        session.get()
        assert asked == [None, None]

    @pytest.mark.parametrize("path", ["x", ".evil.example", "@evil.example/", "/../admin", "/%2e%2e/admin", "/a\\..\\b"])
    def test_a_path_that_leads_elsewhere_is_refused_before_a_call(self, session_to, seen, path):
        session = session_to(f"{seen[1]}/api")
        with pytest.raises(UpstreamGarbled):
            session.get(path)
        with pytest.raises(UpstreamGarbled):
            session.post(path, None, {})
        assert seen[0] == []

    def test_no_id_and_no_query_ever_reaches_another_path(self, session_to):
        with KeepingShop(each=10**6) as shop:
            session = session_to(f"{shop.url}/api/v1")

            @settings(max_examples=1000, deadline=None)
            @given(NASTY, NASTY)
            def ask(source_id, value):
                # What could be read as another path, however often it is decoded, is refused instead.
                with suppress(UpstreamGarbled):
                    session.get(f"/items/{quote_id(source_id)}/offers", {"q": value.encode("utf-8", "replace").decode()})

            ask()
            session.close()
        lines = [request.partition(b"\r\n")[0] for request in shop.requests if request]
        assert len(lines) > 300
        assert [line for line in lines if not ASKED.fullmatch(line)] == []
        host = f"\r\nHost: {shop.url.removeprefix('http://')}\r\n".encode()
        assert all(host in request for request in shop.requests if request)


NASTY = st.text() | st.lists(
    st.sampled_from(["..", "%2e", "%2f", "%5c", "/", "\\", ".", "?", "#", "a", "%", "25", "//evil.example", "@", "\r\n", ";"])
).map("".join)
ASKED = re.compile(rb"GET /api/v1/items/(?!\.{1,2}/)[^/?#\\ ]+/offers\?q=[^?#\\ ]* HTTP/1\.1")


class TestFollow:
    def test_a_link_on_the_own_origin_is_followed(self, session_to, seen):
        requests, url = seen
        assert session_to(f"{url}/shop").follow(f"{url}/shop/other?page=2").url == f"{url}/shop/other?page=2"
        assert requests[0].full_path == "/shop/other?page=2"

    @pytest.mark.parametrize(
        "link",
        [
            *[
                "http://evil.example/",
                "https://127.0.0.1:{port}/",
                "http://127.0.0.1:1/",
                "http://localhost:{port}/",
                "/relative",
                "",
            ],
            *["//127.0.0.1:{port}/", "http://127.0.0.1:{port}@evil.example/", "file:///etc/passwd"],
        ],
    )
    def test_a_link_to_anywhere_else_is_refused_before_a_call(self, session_to, seen, link):
        requests, url = seen
        with pytest.raises(UpstreamGarbled, match="leads to another host"):
            session_to(url, credentials=Credentials(bearer=Secret("t"))).follow(link.format(port=url.rpartition(":")[2]))
        assert requests == []

    @pytest.mark.parametrize("link", ["http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:port/"])
    def test_a_link_that_is_no_url_is_refused(self, session_to, link):
        with pytest.raises(UpstreamGarbled, match="is not a URL"):
            session_to("http://127.0.0.1:1").follow(link)

    def test_the_usual_ports_need_not_be_written(self, session_to, closed_port):
        with pytest.raises(UpstreamUnreachable):
            session_to("http://shop.invalid").follow("http://shop.invalid:80/x")
