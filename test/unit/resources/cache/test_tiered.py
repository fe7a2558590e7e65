"""What memory in front of a shared tier adds; the contract suite has what all caches do, and the faults."""

import pytest

from main.resources.cache.memory import MemoryCache
from main.resources.cache.tiered import Tiered
from main.service.errors import CacheDown
from test.fakes import FakeClock


class Shared(MemoryCache):
    """A shared tier that counts what it is asked, and is down when told so."""

    def __init__(self, clock):
        super().__init__(clock=clock)
        self.down = False
        self.asked = []

    def _note(self, what):
        self.asked.append(what)
        if self.down:
            raise CacheDown("told so")

    def open(self):
        self._note("open")

    def ping(self):
        self._note("ping")

    def get(self, key):
        self._note(f"get {key}")
        return super().get(key)

    def set(self, key, value, seconds):
        self._note(f"set {key}")
        super().set(key, value, seconds)

    def delete(self, key):
        self._note(f"delete {key}")
        super().delete(key)

    def lock(self, key, owner, seconds):
        self._note(f"lock {key}")
        return super().lock(key, owner, seconds)

    def unlock(self, key, owner):
        self._note(f"unlock {key}")
        super().unlock(key, owner)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def shared(clock):
    return Shared(clock)


@pytest.fixture
def cache(shared, clock):
    return Tiered(MemoryCache(clock=clock), shared, clock=clock)


@pytest.fixture
def other(shared, clock):
    return Tiered(MemoryCache(clock=clock), shared, clock=clock)


def test_near_is_looked_at_first(cache, shared):
    cache.set("key", b"value", 60)
    shared.asked.clear()
    assert [cache.get("key") for _ in range(5)] == [b"value"] * 5
    assert shared.asked == []


def test_what_the_shared_tier_has_is_asked_for_once_a_second(cache, other, shared, clock):
    other.set("key", b"value", 60)
    for _ in range(20):
        assert cache.get("key") == b"value"
        clock.advance(0.1)
    assert shared.asked.count("get key") == 2


def test_what_another_worker_changed_or_purged_is_seen_within_a_second(cache, other, clock):
    cache.set("key", b"old", 60)
    other.set("key", b"new", 60)
    clock.advance(1)
    assert cache.get("key") == b"new"
    other.delete("key")
    clock.advance(1)
    assert cache.get("key") is None


def test_nothing_is_remembered_near_past_the_end_of_its_time(cache, other, clock):
    other.set("key", b"value", 0.5)
    clock.advance(0.4)
    assert cache.get("key") == b"value"
    clock.advance(0.1)
    assert cache.get("key") is None


def test_a_value_whose_time_is_over_by_our_clock_is_a_miss(shared, clock):
    behind = FakeClock()
    Tiered(MemoryCache(clock=behind), shared, clock=behind).set("key", b"value", 60)
    behind.advance(60)
    late = Tiered(MemoryCache(clock=behind), shared, clock=behind)
    assert shared.get("key") is not None
    assert late.get("key") is None


def test_what_nobody_sealed_is_a_miss(cache, shared):
    shared.set("key", b"of another layout", 60)
    assert cache.get("key") is None


def test_without_a_shared_tier_values_stay_for_their_whole_time(clock):
    cache = Tiered(MemoryCache(clock=clock), clock=clock)
    cache.open()
    cache.ping()
    cache.set("key", b"value", 60)
    clock.advance(59)
    assert cache.get("key") == b"value"
    assert cache.lock("key", "one", 60)
    assert not cache.lock("key", "two", 60)
    cache.unlock("key", "one")
    cache.delete("key")
    assert cache.get("key") is None
    cache.close()


def test_a_tier_that_cannot_be_opened_is_found_later(cache, shared, clock):
    shared.down = True
    cache.open()
    with pytest.raises(CacheDown, match="left alone"):
        cache.ping()
    shared.down = False
    clock.advance(1)
    cache.ping()
    cache.set("key", b"value", 60)
    assert shared.asked[-1] == "set key"


def test_a_ping_says_what_is_wrong_and_then_leaves_the_tier_alone_too(cache, shared):
    shared.down = True
    with pytest.raises(CacheDown, match="told so"):
        cache.ping()
    for _ in range(3):
        with pytest.raises(CacheDown, match="left alone"):
            cache.ping()
    assert shared.asked == ["ping"]


def test_a_lock_taken_near_while_the_tier_was_lost_is_given_back_there(cache, shared, clock):
    shared.down = True
    assert cache.lock("key", "one", 60)
    shared.down = False
    clock.advance(1)
    cache.unlock("key", "one")
    assert shared.asked[-1] == "unlock key"
    shared.down = True
    assert cache.lock("key", "two", 60)


def test_changes_that_did_not_get_there_are_made_good_a_few_with_each_call(cache, other, shared, clock):
    for number in range(40):
        other.set(str(number), b"old", 600)
    shared.down = True
    for number in range(40):
        cache.delete(str(number))
    shared.down = False
    clock.advance(1)
    shared.asked.clear()
    cache.get("anything")
    assert 0 < len(shared.asked) <= 20
    cache.get("anything")
    cache.get("anything")
    clock.advance(1)
    assert [other.get(str(number)) for number in range(40)] == [None] * 40


def test_who_consults_gets_what_another_process_has_just_set(cache, other, clock):
    cache.set("key", b"old", 600)
    other.set("key", b"new", 600)
    assert cache.get("key") == b"old"
    assert cache.consult("key") == b"new"
    assert cache.get("key") == b"new"


def test_who_consults_gets_what_is_at_hand_where_there_is_nothing_else(cache, shared, clock):
    cache.set("key", b"value", 600)
    shared.delete("key")
    assert cache.consult("key") == b"value"
    shared.down = True
    cache.set("key", b"newer", 600)
    shared.down = False
    clock.advance(0.5)
    assert cache.consult("key") == b"newer"
    assert cache.consult("unknown") is None


def test_a_value_that_is_out_of_date_there_is_never_given_and_dropped_when_asked_for(cache, other, shared, clock):
    for number in range(40):
        other.set(str(number), b"old", 600)
    shared.down = True
    for number in range(40):
        cache.delete(str(number))
    assert cache.get("39") is None
    shared.down = False
    clock.advance(1)
    assert cache.get("39") is None
    other.set("39", b"new", 600)
    assert cache.get("39") == b"new"


def test_a_new_value_that_arrives_makes_good_what_was_owed(cache, shared, clock):
    shared.down = True
    cache.set("key", b"first", 60)
    shared.down = False
    clock.advance(1)
    cache.set("key", b"second", 60)
    clock.advance(2)
    assert cache.get("key") == b"second"


def test_a_tier_lost_again_while_changes_are_made_good_is_owed_them_still(cache, other, shared, clock):
    other.set("key", b"old", 600)
    shared.down = True
    cache.delete("key")
    shared.down = False
    clock.advance(1)
    answer = shared.delete
    shared.delete = lambda _: shared._note("delete") or (_ for _ in ()).throw(CacheDown("again"))
    assert cache.get("anything") is None
    assert cache.get("key") is None
    shared.delete = answer
    clock.advance(10)
    cache.get("anything")
    clock.advance(1)
    assert other.get("key") is None


def test_of_too_many_changes_the_oldest_are_forgotten(cache, shared):
    shared.down = True
    for number in range(10_050):
        cache.delete(str(number))
    debts = cache._states.get().debts
    assert "49" not in debts
    assert "50" in debts
    assert "10049" in debts
