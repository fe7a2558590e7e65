"""Counters over storages that may fail."""

import threading
import time

import pytest
import structlog
from limits.storage import MemoryStorage

from main.resources.limits import counters as module
from main.resources.limits.counters import StorageCounters
from main.service.model import Count
from main.util.metrics import COUNTERS


class Clock:
    """Both clocks of the time module; they move only when they are told to."""

    seconds = 1_000_000.0

    def time(self):
        return self.seconds

    monotonic = time


class Shared(MemoryStorage):
    """A storage that several processes share, on a clock that stands still; it notes who asks when a window ends."""

    STORAGE_SCHEME = None

    def __init__(self, clock):
        super().__init__()
        self.clock, self.counts, self.asked = clock, {}, []
        self.meanwhile = None

    def _open(self, key):
        ends, number = self.counts.get(key, (0.0, 0))
        return (ends, number) if ends > self.clock.seconds else (self.clock.seconds, 0)

    def incr(self, key, expiry, amount=1):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        ends, number = self._open(key)
        self.counts[key] = (ends if number else self.clock.seconds + expiry, number + amount)
        return number + amount

    def get(self, key):
        return self._open(key)[1]

    def get_expiry(self, key):
        self.asked.append(key)
        return self._open(key)[0]

    def clear(self, key):
        self.counts.pop(key, None)


class Flaky(MemoryStorage):
    """The library's memory, which can be down."""

    STORAGE_SCHEME = None

    def __init__(self):
        super().__init__()
        self.down, self.calls = False, 0

    def _require(self):
        self.calls += 1
        if self.down:
            raise ConnectionRefusedError("gone")

    def incr(self, key, expiry, amount=1):
        self._require()
        return super().incr(key, expiry, amount)

    def get(self, key):
        self._require()
        return super().get(key)

    def clear(self, key):
        self._require()
        super().clear(key)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def shared(clock):
    return Shared(clock)


@pytest.fixture
def first():
    return Flaky()


def failures():
    return COUNTERS.snapshot().get("limits.storage_failures", 0)


def test_it_counts_tells_when_the_window_ends_and_forgets(first):
    counters = StorageCounters(first)
    assert [counters.add("a", 60).number for _ in range(3)] == [1, 2, 3]
    found = counters.read("a")
    assert (found.number, 50 < found.resets_in <= 60) == (3, True)
    assert counters.read("b") == Count()
    counters.drop("a")
    assert counters.read("a") == Count()
    assert counters.add("a", 60).number == 1


def test_the_end_of_a_window_is_asked_for_once(first, monkeypatch):
    StorageCounters(first).add("a", 60)
    counters, asked = StorageCounters(first), []
    monkeypatch.setattr(first, "get_expiry", lambda key: asked.append(key) or time.time() + 30)
    ends = [counters.add("a", 60).resets_in for _ in range(5)]
    assert asked == ["aisle:a"]
    assert all(20 < left <= 31 for left in ends)


def test_the_one_who_begins_a_window_knows_its_end_and_all_tell_how_long_it_is_open(shared, clock):
    one, other = StorageCounters(shared), StorageCounters(shared)
    assert one.add("a", 60) == Count(1, 60.0)
    clock.seconds += 20
    assert one.add("a", 60) == Count(2, 40.0)
    assert shared.asked == []
    assert other.add("a", 60) == Count(3, 40.0)
    assert other.read("a") == Count(3, 40.0)
    assert shared.asked == ["aisle:a"] * 2


def test_a_window_that_ends_at_this_very_moment_is_not_open_for_less_than_nothing(shared, clock, monkeypatch):
    StorageCounters(shared).add("a", 60)
    monkeypatch.setattr(shared, "get_expiry", lambda _: clock.seconds - 3)
    assert StorageCounters(shared).add("a", 60) == Count(2, 0.0)
    assert StorageCounters(shared).read("a") == Count(2, 0.0)


def test_the_end_of_a_window_that_another_process_ended_is_forgotten(shared):
    one, other = StorageCounters(shared), StorageCounters(shared)
    one.add("a", 60)
    other.drop("a")
    assert one.add("a", 600) == Count(1, 600.0)
    one.drop("a")
    other.add("a", 30)
    assert one.add("a", 30) == Count(2, 30.0)


def test_a_window_is_ended_where_it_is_counted_and_nowhere_else(first):
    second = Flaky()
    counters, before = StorageCounters(first, second), COUNTERS.snapshot().get("limits.not_counted", 0)
    counters.drop("a")
    assert (first.calls, second.calls) == (1, 0)
    assert COUNTERS.snapshot().get("limits.not_counted", 0) == before


def test_while_one_call_tries_a_storage_that_was_down_the_others_do_without(shared, clock, monkeypatch):
    counters, told = StorageCounters(shared, MemoryStorage()), []
    shared.meanwhile = fail
    counters.add("a", 60)
    clock.seconds += module.PAUSE
    shared.meanwhile = lambda: told.append(counters.add("a", 60).number)
    assert counters.add("a", 60).number == 1  # the first of this storage
    assert told == [2]  # the second of the one that stands by


def fail():
    raise ConnectionRefusedError


def test_a_storage_that_failed_is_left_alone_for_two_seconds(shared, clock):
    counters = StorageCounters(shared)
    shared.meanwhile = fail
    assert counters.add("a", 60) == Count()
    clock.seconds += 1.99
    assert counters.add("a", 60) == Count()
    clock.seconds += 0.01
    assert counters.add("a", 60) == Count(1, 60.0)


class Overtaken:
    """A lock that is given only after another call has found the storage again."""

    def __init__(self, shelf):
        self.shelf = shelf

    def __enter__(self):
        self.shelf._resume = None

    def __exit__(self, *_):
        pass


def test_a_call_that_is_overtaken_by_the_one_that_finds_the_storage_again_is_counted(shared):
    counters = StorageCounters(shared)
    shared.meanwhile = fail
    counters.add("a", 60)
    [shelf] = counters._shelves
    shelf._lock = Overtaken(shelf)  # nothing from outside makes two threads meet between a look and a step
    assert counters.add("a", 60) == Count(1, 60.0)


def test_the_next_storage_counts_while_the_first_is_down_and_that_is_said_once(first):
    counters, before = StorageCounters(first, Flaky()), failures()
    first.down = True
    with structlog.testing.capture_logs() as lines:
        assert [counters.add("a", 60).number for _ in range(5)] == [1, 2, 3, 4, 5]
    assert [line["event"] for line in lines] == ["limits.storage_lost"]
    assert failures() == before + 1
    assert first.calls == 1


def test_one_that_is_back_is_found_after_a_pause(first, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.05)
    counters = StorageCounters(first, Flaky())
    first.down = True
    counters.add("a", 60)
    first.down = False
    time.sleep(0.06)
    with structlog.testing.capture_logs() as lines:
        counters.add("a", 60)
        counters.add("a", 60)
    assert [line["event"] for line in lines] == ["limits.storage_found"]
    assert first.get("aisle:a") == 2


def test_where_none_answers_nothing_is_counted_and_nobody_is_kept_out(first):
    counters = StorageCounters(first)
    first.down = True
    before = COUNTERS.snapshot().get("limits.not_counted", 0)
    assert [counters.add("a", 60) for _ in range(3)] == [Count()] * 3
    assert counters.read("a") == Count()
    counters.drop("a")
    assert COUNTERS.snapshot()["limits.not_counted"] == before + 5


def test_one_that_stays_down_is_asked_once_a_pause_and_spoken_of_once(first, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.0)
    counters, before = StorageCounters(first), failures()
    first.down = True
    with structlog.testing.capture_logs() as lines:
        assert [counters.read("a") for _ in range(3)] == [Count()] * 3
    assert [(line["event"], line["storage"], line["error"]) for line in lines] == [
        ("limits.storage_lost", "Flaky", "ConnectionRefusedError")
    ]
    assert (first.calls, failures()) == (3, before + 3)


class Doorstep:
    """A lock that says when so many wait for it, and opens then."""

    def __init__(self, most):
        self.lock, self.waiting = threading.Lock(), threading.Barrier(most)

    def __enter__(self):
        self.waiting.wait(20)
        self.lock.acquire()

    def __exit__(self, *_):
        self.lock.release()


def test_of_calls_that_find_it_again_at_once_one_says_so(first, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.0)
    counters = StorageCounters(first)
    first.down = True
    counters.read("a")
    first.down = False
    counters._shelves[0]._lock = Doorstep(2)  # nothing from outside makes two threads meet between a look and a step
    with structlog.testing.capture_logs() as lines:
        threads = [threading.Thread(target=counters.read, args=("a",)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [line["event"] for line in lines] == ["limits.storage_found"]
