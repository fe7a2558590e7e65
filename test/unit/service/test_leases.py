import threading
import time

import pytest

from main.service.leases import LEASE, Leases
from main.util.clock import SystemClock
from test.fakes import FakeCache

PATIENCE = 20


@pytest.fixture
def cache():
    return FakeCache(SystemClock())


@pytest.fixture
def leases(cache):
    return Leases(cache)


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_lock_has_one_holder_in_a_process_and_among_several(leases, cache):
    assert leases.take("a")
    assert not leases.take("a")
    assert not Leases(cache).take("a")
    assert Leases(cache).take("b")
    leases.release("a")
    assert Leases(cache).take("a")


def test_a_lock_refused_by_the_cache_is_not_held(leases, cache):
    cache.lock("a", "somebody", 60)
    assert not leases.take("a")
    cache.unlock("a", "somebody")
    assert leases.take("a")


def test_a_held_lock_outlives_its_time_and_a_released_one_is_free_at_once(leases, cache):
    leases.take("a")
    first = cache.locks["a"][1]
    wait_for(lambda: cache.locks["a"][1] > first)
    leases.release("a")
    assert cache.locks == {}


def test_nothing_is_renewed_once_it_was_given_back(leases, cache):
    taken = [leases.take(key) for key in "abcdef"]
    threads = [threading.Thread(target=leases.release, args=(key,)) for key in "abcdef"]
    time.sleep(0.55)  # while the renewing thread is at work
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.7)
    assert (all(taken), cache.locks) == (True, {})


def test_a_lock_given_back_just_before_its_renewal_stays_free_and_is_nobodys_until_it_is_free(leases, cache):
    assert leases.take("a")
    assert leases.take("b")
    unlock, goes_on = cache.unlock, threading.Event()
    cache.unlock = lambda key, owner: (goes_on.wait(PATIENCE), unlock(key, owner))
    threads = [threading.Thread(target=leases.release, args=(key,)) for key in "ab"]
    for thread in threads:
        thread.start()
    time.sleep(0.8)  # the renewal falls due meanwhile, and stands in line behind both
    assert not leases.take("a")
    assert not leases.take("b")
    goes_on.set()
    for thread in threads:
        thread.join()
    time.sleep(0.1)
    assert cache.locks == {}


def test_the_lock_of_a_holder_that_died_is_free_within_two_seconds():
    assert LEASE < 2


@pytest.mark.parametrize("call", ["lock", "unlock"])
def test_a_cache_that_breaks_leaves_no_lock_that_nobody_can_take(leases, cache, monkeypatch, call):
    def break_down(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        if call == "unlock":
            assert leases.take("a")
        broken.setattr(cache, call, break_down)
        with pytest.raises(ZeroDivisionError):
            leases.take("a") if call == "lock" else leases.release("a")
    assert leases.take("a")
    leases.release("a")


def test_a_lock_is_held_even_where_no_thread_can_be_had_to_renew_it(leases, cache, monkeypatch, log_lines):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", refuse)
        assert leases.take("a")
    assert not Leases(cache).take("a")
    assert [line["event"] for line in log_lines()] == ["leases.thread_refused"]
    first = cache.locks["a"][1]
    assert leases.take("b")  # and now there is one, for both
    wait_for(lambda: cache.locks["a"][1] > first)
    for key in "ab":
        leases.release(key)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_renewal_that_breaks_is_not_the_last_one(leases, cache, monkeypatch):
    def break_down(*_):
        raise ZeroDivisionError

    assert leases.take("a")
    with monkeypatch.context() as broken:
        broken.setattr(cache, "lock", break_down)
        wait_for(lambda: leases._thread is None)
    assert leases.take("b")
    first = cache.locks["b"][1]
    wait_for(lambda: cache.locks["b"][1] > first)
    for key in "ab":
        leases.release(key)


def test_the_renewing_thread_ends_when_nothing_is_held(leases):
    leases.take("a")
    leases.release("a")
    wait_for(lambda: leases._thread is None)  # the only trace of a thread that nobody waits for
    assert leases.take("a")
    leases.release("a")
    wait_for(lambda: leases._thread is None)
