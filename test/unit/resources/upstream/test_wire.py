"""One exchange over one wire: connections are kept and bounded, and nothing outlives its deadline."""

import threading
import time
from datetime import timedelta

import pytest
from requests import PreparedRequest

from main.resources.upstream import watchdog
from main.resources.upstream.watchdog import Watchdog
from main.resources.upstream.wire import Wire
from main.service.errors import UpstreamClosed, UpstreamTimeout, UpstreamUnreachable
from test.unit.resources.upstream.shops import KeepingShop, reply

GENEROUS = 5
SHORT = timedelta(milliseconds=300)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def wire():
    wire = Wire(Watchdog(), 4)
    yield wire
    wire.close()


def asking(url):
    request = PreparedRequest()
    request.prepare("GET", url)
    return request


def send(wire, url, seconds=GENEROUS):
    return wire.send(asking(url), time.monotonic() + seconds, 1024)


def test_a_reply_has_its_status_headers_and_body(wire, raw_shop):
    found = send(wire, raw_shop(reply(b"[]", "X-A: b")).url)
    assert (found.status, found.headers["x-a"], found.body) == (200, "b", b"[]")


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "500 Oops"])
def test_any_status_is_a_reply_whose_body_is_not_read(wire, raw_shop, status):
    found = send(wire, raw_shop([reply(b"[", status=status, length=10**9)]).url)
    assert (found.status, found.body) == (int(status[:3]), b"")


def test_calls_one_after_the_other_share_a_connection(wire):
    with KeepingShop(each=100) as shop:
        for _ in range(20):
            assert send(wire, shop.url).body == b"[]"
        assert shop.connections == 1
        wire.close()


def test_no_more_connections_are_kept_than_allowed(wire):
    with KeepingShop(each=100, wait=0.05) as shop:
        callers = [threading.Thread(target=send, args=(wire, shop.url)) for _ in range(12)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(GENEROUS)
        waited = time.monotonic() + GENEROUS
        while shop.open > 4 and time.monotonic() < waited:
            time.sleep(0.01)
        assert shop.open <= 4
        wire.close()


def test_one_connection_is_kept_when_all_is_quiet_and_serves_the_next_call(wire, monkeypatch):
    monkeypatch.setattr(watchdog, "_QUIET", 0.2)
    monkeypatch.setattr(watchdog, "_GLANCE", 0.05)
    with KeepingShop(each=100, wait=0.5) as shop:  # long enough for all four to be under way at once
        for _ in range(2):
            callers = [threading.Thread(target=send, args=(wire, shop.url)) for _ in range(4)]
            for caller in callers:
                caller.start()
            assert await_open(shop, 4)
            for caller in callers:
                caller.join(GENEROUS)
            assert await_open(shop, 1)
        made = shop.connections
        assert send(wire, shop.url).body == b"[]"
        assert (shop.connections, made) == (made, 7)
        wire.close()


def await_open(shop, count):
    until = time.monotonic() + GENEROUS
    while shop.open != count and time.monotonic() < until:
        time.sleep(0.005)
    return shop.open == count


def test_what_is_closed_is_not_trimmed_when_all_is_quiet(monkeypatch):
    monkeypatch.setattr(watchdog, "_QUIET", 0.05)
    monkeypatch.setattr(watchdog, "_GLANCE", 0.05)
    dog = Watchdog()
    with KeepingShop(each=100) as shop:
        wires = [Wire(dog, 4), Wire(dog, 4), Wire(dog, 4)]
        send(wires[0], shop.url)
        send(wires[1], shop.url)
        wires[0].close()
        until = time.monotonic() + GENEROUS
        while dog._thread is not None and time.monotonic() < until:
            time.sleep(0.005)
        assert await_open(shop, 1)
        assert send(wires[1], shop.url).body == b"[]"
        assert len(dog._when_quiet) == 2
        for wire in wires:
            wire.close()
        assert dog._when_quiet == set()


def test_a_call_that_is_closed_was_given_up_and_no_answer_came_too_late(wire):
    with KeepingShop(each=100, wait=GENEROUS) as shop:
        threading.Timer(0.2, wire.close).start()
        began = time.monotonic()
        with pytest.raises(UpstreamClosed, match="was closed meanwhile"):
            send(wire, shop.url, GENEROUS)
        assert time.monotonic() - began < GENEROUS


def test_a_call_without_time_is_not_made(wire, closed_port):
    with pytest.raises(UpstreamTimeout):
        send(wire, f"http://127.0.0.1:{closed_port}", -1)


def test_closing_twice_is_harmless_and_a_closed_wire_still_carries(wire, raw_shop):
    wire.close()
    wire.close()
    assert send(wire, raw_shop(reply()).url).body == b"[]"


@pytest.mark.parametrize(
    "answer",
    [
        [b"HTTP/1.1 200 OK\r\nX-Long: ", *[b"x"] * 200],
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 90],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 200,
        [reply(b"[", length=1000), *[b" "] * 200],
        [CHUNKED, *[b"1;" + b"x" * 5] * 100],
        [CHUNKED, *[b"1\r\n \r\n"] * 200],
        [CHUNKED + b"0\r\n", *[b"X: y\r\n"] * 90],
        [CHUNKED, b"f"],
    ],
    ids=["header", "headers", "early", "body", "size-line", "chunks", "trailers", "half-a-size"],
)
def test_whatever_drips_ends_at_the_deadline(wire, raw_shop, answer):
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout, match="did not answer in time"):
        send(wire, raw_shop(answer).url, 0.3)
    assert time.monotonic() - began < 4  # dripping them takes 4.5 s and more


def test_a_reset_is_a_connection_that_broke_off(wire, raw_shop):
    with pytest.raises(UpstreamUnreachable):
        send(wire, raw_shop(b"").url)
