"""A resolver that hangs holds up nobody beyond their deadline, and costs one thread a host."""

import socket
import threading
import time

import pytest

from main.resources.upstream.names import Names
from main.service.errors import UpstreamClosed

GENEROUS = 5


class Resolver:
    """Answers when it is let; counts the questions."""

    def __init__(self):
        self.asked = []
        self.answer = threading.Event()

    def __call__(self, host, port, *_):
        self.asked.append((host, threading.current_thread()))
        self.answer.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def resolver():
    resolver = Resolver()
    yield resolver
    resolver.answer.set()
    for _, thread in resolver.asked:
        thread.join(GENEROUS)


def test_a_name_gives_its_addresses(resolver):
    resolver.answer.set()
    ((_, _, _, _, address),) = Names(resolver).resolve("shop.example", 80, time.monotonic() + GENEROUS)
    assert address == ("127.0.0.1", 80)


def test_a_resolver_that_hangs_is_left_at_the_deadline(resolver):
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="takes too long"):
        Names(resolver).resolve("shop.example", 80, began + 0.1)
    assert time.monotonic() - began < GENEROUS


def test_many_calls_to_one_host_wait_for_one_look_up(resolver):
    names, found = Names(resolver), []
    callers = [
        threading.Thread(target=lambda: found.append(names.resolve("shop.example", 80, time.monotonic() + 30)))
        for _ in range(20)
    ]
    for caller in callers:
        caller.start()
    for _ in range(20):
        with pytest.raises(TimeoutError):
            names.resolve("shop.example", 80, time.monotonic() + 0.005)
    assert len(resolver.asked) == 1
    resolver.answer.set()
    for caller in callers:
        caller.join(GENEROUS)
    assert len(found) == 20


def test_another_host_does_not_wait_for_it(resolver):
    names = Names(resolver)
    with pytest.raises(TimeoutError):
        names.resolve("a.example", 80, time.monotonic())
    with pytest.raises(TimeoutError):
        names.resolve("b.example", 80, time.monotonic())
    assert sorted(host for host, _ in resolver.asked) == ["a.example", "b.example"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_is_not_looked_up(host):
    before = set(threading.enumerate())
    found = Names().resolve(host, 80, time.monotonic())
    assert found[0][4][:2] == (host, 80)
    assert set(threading.enumerate()) <= before  # of other tests' threads some may end meanwhile


@pytest.mark.parametrize("host", ["shop.invalid", "a..b", "a" * 64 + ".example"])
def test_a_name_that_cannot_be_is_an_error_of_names(host):
    with pytest.raises(socket.gaierror):
        Names().resolve(host, 80, time.monotonic() + 30)


def test_what_failed_is_asked_for_again():
    answers = [socket.gaierror(socket.EAI_AGAIN, "later"), [("found",)]]

    def ask(*_):
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    names = Names(ask)
    with pytest.raises(socket.gaierror, match="later"):
        names.resolve("shop.example", 80, time.monotonic() + GENEROUS)
    assert names.resolve("shop.example", 80, time.monotonic() + GENEROUS) == [("found",)]


def fail_to_start(monkeypatch):
    """Have the next thread not start, as where the system has no more."""
    start = threading.Thread.start

    def fail(_):
        monkeypatch.setattr(threading.Thread, "start", start)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)


def test_a_look_up_without_a_thread_says_nothing_of_the_shop_and_the_next_one_goes_well(resolver, monkeypatch):
    resolver.answer.set()
    names = Names(resolver)
    fail_to_start(monkeypatch)
    with pytest.raises(UpstreamClosed, match=r"no thread to look up shop\.example"):
        names.resolve("shop.example", 80, time.monotonic() + GENEROUS)
    assert len(names.resolve("shop.example", 80, time.monotonic() + GENEROUS)) == 1
