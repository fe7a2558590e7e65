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
