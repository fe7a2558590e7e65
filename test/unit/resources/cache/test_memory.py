"""What is particular to the cache in memory; the contract suite has the rest."""

import pytest

from main.resources.cache.memory import MemoryCache
from test.fakes import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


def test_the_least_recently_used_go_when_it_is_full(clock):
    cache = MemoryCache(10_000, clock=clock)
    for number in range(4):
        cache.set(str(number), bytes(2000), 60)
    cache.get("0")
    cache.set("4", bytes(2000), 60)
    assert [str(number) for number in range(5) if cache.get(str(number))] == ["0", "2", "3", "4"]


def test_it_never_holds_more_bytes_than_it_may(clock):
    cache = MemoryCache(100_000, clock=clock)
    for number in range(1000):
        cache.set(str(number), bytes(number * 10), 60)
    held = sum(len(value) for number in range(1000) if (value := cache.get(str(number))))
    assert 50_000 < held <= 100_000


def test_a_value_that_can_never_fit_drops_the_one_before_and_nothing_else(clock):
    cache = MemoryCache(10_000, clock=clock)
    cache.set("small", b"x", 60)
    cache.set("key", b"before", 60)
    cache.set("key", bytes(20_000), 60)
    assert (cache.get("key"), cache.get("small")) == (None, b"x")


def test_each_value_has_a_time_of_its_own(clock):
    cache = MemoryCache(clock=clock)
    cache.set("short", b"x", 0.05)
    cache.set("long", b"x", 5)
    clock.advance(0.049)
    assert cache.get("short") == b"x"
    clock.advance(0.001)
    assert (cache.get("short"), cache.get("long")) == (None, b"x")
    clock.advance(5)
    assert cache.get("long") is None


def test_a_value_is_a_copy_that_nobody_changes(clock):
    cache, value = MemoryCache(clock=clock), bytearray(b"one")
    cache.set("key", value, 60)
    value[:] = b"two"
    assert cache.get("key") == b"one"


def test_it_is_empty_after_it_was_closed(clock):
    cache = MemoryCache(clock=clock)
    cache.set("key", b"x", 60)
    cache.lock("key", "one", 60)
    cache.close()
    assert cache.get("key") is None
    assert cache.lock("key", "two", 60)
