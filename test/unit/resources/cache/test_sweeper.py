"""When a folder is swept, and on whose time."""

import os
import sys
import threading
import time

import pytest
from structlog.testing import capture_logs

from main.resources.cache.sweeper import EVERY, Sweeper
from main.service.errors import CacheDown

PATIENCE = 20


class Sweeping:
    """A sweep that waits until it may end, and notes which threads began one."""

    def __init__(self):
        self.begun, self.may_end, self.error = [], threading.Event(), None

    def __call__(self):
        self.begun.append(threading.current_thread())
        assert self.may_end.wait(PATIENCE)
        if self.error:
            raise self.error

    def end(self):
        """Let every sweep end, and wait for its thread to be gone."""
        self.may_end.set()
        for thread in threading.enumerate():
            if thread.name == "cache-sweep":
                thread.join(PATIENCE)
                assert not thread.is_alive()


@pytest.fixture
def sweeping():
    made = Sweeping()
    yield made
    made.may_end.set()


@pytest.fixture
def passing(monkeypatch):
    """Makes it later by so many seconds."""
    real, ahead = time.monotonic, [0.0]
    monkeypatch.setattr("main.resources.cache.sweeper.time.monotonic", lambda: real() + ahead[0])
    return lambda seconds: ahead.__setitem__(0, ahead[0] + seconds)


def test_whoever_wakes_it_does_not_wait_for_it(sweeping):
    Sweeper(sweeping).wake()  # comes back, although the sweep may not end yet
    sweeping.end()
    assert [thread.daemon for thread in sweeping.begun] == [True]
    assert sweeping.begun[0] is not threading.current_thread()


def test_one_thread_sweeps_at_a_time_however_long_it_takes(sweeping, passing):
    sweeper = Sweeper(sweeping)
    for _ in range(3):
        sweeper.wake()
        passing(EVERY + 1)
    sweeping.end()
    assert len(sweeping.begun) == 1


def test_the_next_sweep_is_a_minute_after_the_end_of_the_last(sweeping, passing):
    sweeper = Sweeper(sweeping)
    sweeper.wake()
    passing(EVERY)
    sweeping.end()
    for seconds, count in ((0, 1), (EVERY - 5, 1), (6, 2)):
        passing(seconds)
        sweeper.wake()
        sweeping.end()
        assert len(sweeping.begun) == count


def test_a_sweep_that_fails_is_logged_and_the_next_minute_has_another(sweeping, passing):
    sweeper = Sweeper(sweeping)
    sweeping.error = CacheDown("No folder.")
    with capture_logs() as logs:
        sweeper.wake()
        sweeping.end()
    assert logs == [{"event": "cache.sweep_failed", "log_level": "warning", "error": "No folder."}]
    passing(EVERY + 1)
    sweeper.wake()
    sweeping.end()
    assert len(sweeping.begun) == 2


def test_where_no_thread_can_be_started_nobody_fails_and_the_next_minute_has_another(sweeping, passing, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    sweeper = Sweeper(sweeping)
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(threading.Thread, "start", refuse)
        sweeper.wake()
        sweeper.wake()
    assert logs == [{"event": "cache.sweep_failed", "log_level": "warning", "error": "can't start new thread"}]
    passing(EVERY + 1)
    sweeper.wake()
    sweeping.end()
    assert len(sweeping.begun) == 1


def test_a_child_forked_in_the_middle_of_a_sweep_has_a_turn_of_its_own(sweeping):
    sweeper = Sweeper(sweeping)
    sweeper.wake()
    until = time.monotonic() + PATIENCE
    while not sweeping.begun:
        assert time.monotonic() < until
        time.sleep(0.002)
    time.sleep(0.1)  # until it waits: a lock that it held at the fork would stay held in the child
    child = os.fork()
    if child == 0:
        sys.settrace(None)  # coverage has a lock of its own, which another thread may have held at the fork
        ended = 1
        try:
            sweeper.wake()
            sweeping.end()
            ended = 0 if len(sweeping.begun) == 2 else 2
        finally:
            os._exit(ended)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    sweeping.end()
