"""When a shared tier is asked, and when it is left alone."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from main.resources.cache.standing import LONGEST_PAUSE, Standing
from main.service.errors import CacheDown
from main.util.metrics import COUNTERS
from test.fakes import FakeClock

DOWN = CacheDown("gone")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def standing(clock):
    return Standing(clock)


def test_a_tier_that_answers_is_always_asked(standing):
    assert all(standing.may_ask() for _ in range(3))
    standing.note_found()
    assert standing.may_ask()


def test_a_lost_tier_is_left_alone_for_a_second(standing, clock):
    standing.note_lost(DOWN)
    assert not standing.may_ask()
    clock.advance(0.99)
    assert not standing.may_ask()
    clock.advance(0.01)
    assert standing.may_ask()


def test_one_call_at_a_time_tries_whether_it_is_back(standing, clock):
    standing.note_lost(DOWN)
    clock.advance(1)
    assert [standing.may_ask() for _ in range(5)] == [True, False, False, False, False]


def test_the_pause_doubles_up_to_its_end(standing, clock):
    standing.note_lost(DOWN)
    pauses = []
    for _ in range(6):
        waited = 0.0
        while not standing.may_ask():
            clock.advance(0.25)
            waited += 0.25
        pauses.append(waited)
        standing.note_lost(DOWN)
    assert pauses == [1, 2, 4, 4.5, 4.5, 4.5]
    assert LONGEST_PAUSE + 0.25 < 5  # found within five seconds, a try that just failed included


def test_calls_that_fail_late_do_not_prolong_the_pause(standing, clock):
    for _ in range(20):
        standing.note_lost(DOWN)
    clock.advance(1)
    assert standing.may_ask()


def test_after_it_was_found_everything_begins_anew(standing, clock):
    standing.note_lost(DOWN)
    clock.advance(10)
    assert standing.may_ask()
    standing.note_found()
    assert all(standing.may_ask() for _ in range(3))
    standing.note_lost(DOWN)
    clock.advance(1)
    assert standing.may_ask()


def test_losing_and_finding_are_said_once_and_every_failure_is_counted(standing):
    before = COUNTERS.snapshot().get("cache.tier_failures", 0)
    with capture_logs() as logs:
        standing.note_lost(DOWN)
        standing.note_lost(DOWN)
        standing.note_found()
        standing.note_found()
    assert [(line["event"], line.get("error")) for line in logs] == [("cache.tier_lost", "gone"), ("cache.tier_found", None)]
    assert COUNTERS.snapshot()["cache.tier_failures"] == before + 2


def test_two_calls_that_find_the_tier_at_once_say_so_once(standing):
    standing.note_lost(DOWN)
    standing._lock.acquire()
    threads = [threading.Thread(target=standing.note_found) for _ in range(2)]
    with capture_logs() as logs:
        for thread in threads:
            thread.start()
        time.sleep(0.1)  # until both are past the first look
        standing._lock.release()
        for thread in threads:
            thread.join()
    assert [line["event"] for line in logs] == ["cache.tier_found"]
