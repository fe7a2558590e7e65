"""A socket on which every answer has one allowance of time."""

import socket
import threading
import time

import pytest

from main.resources.cache.bounded import BoundedSocket


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield BoundedSocket(ours, 0.3), theirs
    ours.close()
    theirs.close()


def test_what_arrives_in_time_is_received(pair):
    bounded, theirs = pair
    bounded.sendall(b"ask")
    assert theirs.recv(10) == b"ask"
    theirs.sendall(b"answer")
    assert bounded.recv(100) == b"answer"


def test_silence_ends_in_time(pair):
    bounded, _ = pair
    bounded.sendall(b"ask")
    with pytest.raises(TimeoutError):
        bounded.recv(1)


def test_bytes_that_drip_do_not_prolong_the_time(pair):
    bounded, theirs = pair
    over = threading.Event()

    def drip():
        while not over.wait(0.05):
            theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    bounded.sendall(b"ask")
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        list(iter(lambda: bounded.recv(1), b"the end"))
    assert 0.2 < time.monotonic() - started < 5
    over.set()
    dripping.join()


def test_the_next_request_has_its_own_time(pair):
    bounded, theirs = pair
    bounded.sendall(b"first")
    time.sleep(0.35)
    with pytest.raises(TimeoutError):
        bounded.recv(1)
    bounded.sendall(b"second")
    theirs.sendall(b"answer")
    assert bounded.recv(100) == b"answer"


def test_a_request_that_nobody_reads_ends_in_time(pair):
    bounded, _ = pair
    with pytest.raises(TimeoutError):
        bounded.sendall(bytes(50_000_000))


def test_whoever_does_not_want_to_wait_does_not(pair):
    bounded, _ = pair
    bounded.settimeout(0)
    with pytest.raises(BlockingIOError):
        bounded.recv(1)


def test_asking_for_all_the_time_in_the_world_gives_what_is_left(pair):
    bounded, _ = pair
    bounded.settimeout(None)
    bounded.sendall(b"ask")
    with pytest.raises(TimeoutError):
        bounded.recv(1)


def test_everything_else_is_the_sockets_own(pair):
    bounded, theirs = pair
    assert bounded.fileno() > 0
    bounded.close()
    assert theirs.recv(1) == b""
