import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from main.resources.upstream import watchdog as module
from main.resources.upstream.lines import Plug
from main.resources.upstream.session import UpstreamSession
from main.resources.upstream.watchdog import Watchdog, WatchedCall
from main.service.errors import UpstreamClosed, UpstreamTimeout
from test.unit.resources.upstream.conftest import A_SOURCE
from test.unit.resources.upstream.shops import reply

GENEROUS = 5
SHORT = timedelta(milliseconds=300)
DRIP = [bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Long: " + b"x" * 200]


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(GENEROUS)
        yield ours, theirs


@pytest.fixture
def opened():
    sessions = []

    def open_session(url, **more):
        sessions.append(UpstreamSession(replace(A_SOURCE, url=url, **more), Watchdog()))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def test_headers_that_drip_end_at_the_deadline(opened, raw_shop):
    shop = raw_shop(DRIP)
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout, match="did not answer in time"):
        opened(shop.url, timeout=SHORT).get()
    assert time.monotonic() - began < len(DRIP) * 0.05


def test_a_body_without_a_length_that_was_cut_off_is_not_taken_for_whole(opened, raw_shop):
    shop = raw_shop([b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[", *[b" "] * 200])
    with pytest.raises(UpstreamTimeout):
        opened(shop.url, timeout=SHORT).get()


def test_closing_a_session_ends_the_call_in_hand(opened, raw_shop):
    shop = raw_shop(DRIP)
    session = opened(shop.url, timeout=timedelta(seconds=60))
    caught = []

    def call():
        with pytest.raises(UpstreamClosed) as error:
            session.get()
        caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    until = time.monotonic() + GENEROUS
    while not shop.requests and time.monotonic() < until:
        time.sleep(0.01)
    session.close()
    thread.join(GENEROUS)
    assert len(caught) == 1


def test_a_connection_that_is_used_again_is_watched_again(opened, raw_shop):
    shop = raw_shop([reply(b"[]")], DRIP)
    session = opened(shop.url, timeout=SHORT)
    assert session.get(patience=20).body == b"[]"  # which a busy machine may need
    with pytest.raises(UpstreamTimeout):
        session.get()


@pytest.fixture
def plug(pair):
    return Plug(pair[0].fileno())


def test_a_call_in_time_is_left_alone(pair, plug):
    ours, theirs = pair
    dog = Watchdog()
    with dog.watching(time.monotonic() + 60):
        pass  # its thread is there: to begin one may take a busy machine longer than this call has
    with dog.watching(time.monotonic() + 0.3) as call:
        call.attach(plug)
    time.sleep(0.4)
    ours.send(b"still open")
    assert theirs.recv(10) == b"still open"
    assert not call.ended


def test_the_earliest_deadline_comes_first(pair, plug):
    dog = Watchdog()
    _, theirs = pair
    with dog.watching(time.monotonic() + 60), dog.watching(time.monotonic() + 0.1) as soon:
        soon.attach(plug)
        assert theirs.recv(1) == b""
        assert soon.ended


def test_a_call_that_was_ended_before_it_had_a_connection_never_gets_one(pair, plug):
    _, theirs = pair
    call = WatchedCall(0)
    call.end()
    call.attach(plug)
    call.detach()
    assert theirs.recv(1) == b""


def test_a_thread_that_died_is_replaced_by_the_next_call(pair, plug):
    dog = Watchdog()
    dog._thread = threading.Thread()
    _, theirs = pair
    with dog.watching(time.monotonic() + 0.05) as call:
        call.attach(plug)
        assert theirs.recv(1) == b""


def test_its_thread_ends_when_nothing_is_left_to_watch(monkeypatch):
    monkeypatch.setattr(module, "_QUIET", 0.05)
    monkeypatch.setattr(module, "_GLANCE", 0.05)
    dog = Watchdog()
    with dog.watching(time.monotonic() + 60):
        (thread,) = [thread for thread in threading.enumerate() if thread is dog._thread]
    with dog.watching(time.monotonic() + 0.01):
        time.sleep(0.1)
    thread.join(GENEROUS)
    assert not thread.is_alive()
    with dog.watching(time.monotonic() + 60):
        assert dog._thread is not thread


def test_where_no_thread_can_be_had_the_call_is_given_up_and_the_next_one_is_made(opened, raw_shop, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    session = opened(raw_shop([reply(b"[]")]).url)
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", refuse)
        with pytest.raises(UpstreamClosed, match="no thread to watch"):
            session.get()
    assert session.get().body == b"[]"


def test_a_call_that_was_not_watched_leaves_nothing_to_watch(plug, pair, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    dog, (_, theirs) = Watchdog(), pair
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", refuse)
        with pytest.raises(UpstreamClosed), dog.watching(time.monotonic() + 60):
            pytest.fail("nobody watched")
    assert not dog._calls
    with dog.watching(time.monotonic() + 0.05) as call:
        call.attach(plug)
        assert theirs.recv(1) == b""
