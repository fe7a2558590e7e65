"""Live looks at one source, with real threads, a cache in a dict and a shop that does as it is told."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import orjson
import pytest

from main.service import fanout, looks
from main.service.errors import UpstreamOpen, UpstreamPaused, UpstreamRefused, UpstreamThrottled, UpstreamTimeout
from main.service.fanout import Lanes, Promise
from main.service.flights import Ticket
from main.service.leases import Leases
from main.service.live import Listed
from main.service.looks import LookTools, SourceLooks
from main.service.model import GuardState, LiveRules, Look, LookState, Wanted
from test.fakes import FakeCache, FakeClock, FakeShop, MemoryGuardBook, make_source, raw_record

PATIENCE = 20
RULES = LiveRules(max_deadline=timedelta(seconds=2))


def dump(product):
    return orjson.dumps({"price": product.price.minor})


class Desk:
    """A source's looks, and all that stands around them."""

    def __init__(self, shop, cache=None, **given):
        self.shop = shop
        self.clock = cache.clock if cache else FakeClock()
        self.cache = cache or FakeCache(self.clock)
        self.guards = MemoryGuardBook()
        self.lanes = Lanes()
        self.leases = Leases(self.cache)
        tools = LookTools(self.cache, self.leases, self.guards, self.lanes, self.clock, RULES, dump)
        self.looks = SourceLooks(make_source(**{"concurrency": 4, **given}), shop, tools)

    def begin(self, *ids, seconds=PATIENCE, current=True):
        return self.looks.begin([Wanted(one) for one in ids], time.monotonic() + seconds, current=current)

    def look(self, *ids, seconds=PATIENCE):
        begun = self.begin(*ids, seconds=seconds)
        tickets = [item for item in begun.values() if isinstance(item, Ticket)]
        Promise.wait([ticket.landed for ticket in tickets], time.monotonic() + seconds)
        found = [begun[one].finish() if isinstance(begun[one], Ticket) else begun[one] for one in ids]
        return found if len(found) > 1 else found[0]

    def settle(self):
        """Wait until nothing is under way any more."""
        until = time.monotonic() + PATIENCE
        while self.looks._flights or self.leases._held:  # what nobody waits for leaves no other trace
            assert time.monotonic() < until
            time.sleep(0.005)


@pytest.fixture
def desk():
    desks = []

    def open_desk(shop=None, cache=None, **given):
        desks.append(Desk(shop or FakeShop(_1=100, _2=200, _3=300), cache, **given))
        return desks[-1]

    yield open_desk
    for each in desks:
        each.settle()
        each.lanes.close()


def price(look):
    return orjson.loads(look.figures)["price"]


def test_the_first_look_asks_the_shop_and_the_next_one_the_cache(desk):
    acme = desk()
    first = acme.look("1")
    acme.settle()  # its answer is kept
    second = acme.look("1")
    assert [(look.state, price(look)) for look in (first, second)] == [(LookState.LIVE, 100), (LookState.CACHED, 100)]
    assert acme.shop.looked == [("1",)]
    acme.settle()


def test_all_products_are_asked_for_at_once_and_several_in_one_call_where_that_is_possible(desk):
    one_by_one, together = desk(), desk(FakeShop(size=2, _1=100, _2=200, _3=300))
    assert list(map(price, one_by_one.look("1", "2", "3"))) == [100, 200, 300]
    assert sorted(one_by_one.shop.looked) == [("1",), ("2",), ("3",)]
    assert list(map(price, together.look("1", "2", "3"))) == [100, 200, 300]
    assert sorted(together.shop.looked) == [("1", "2"), ("3",)]


def test_what_has_aged_is_served_at_once_and_renewed_behind_it(desk):
    acme = desk()
    acme.look("1")
    acme.settle()  # its lock is given back
    acme.clock.advance(10)
    acme.shop.stock["1"] = acme.shop.stock["2"].replace(b'"id":"2"', b'"id":"1"')
    aged = acme.look("1")
    assert (aged.state, aged.age_s, price(aged)) == (LookState.STALE, 10, 100)
    acme.settle()
    assert (acme.look("1").state, price(acme.look("1"))) == (LookState.CACHED, 200)
    assert len(acme.shop.looked) == 2


def test_one_renewal_is_enough_however_many_ask(desk):
    acme, hang = desk(), threading.Event()
    acme.look("1")
    acme.settle()  # its lock is given back
    acme.clock.advance(10)
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    assert {acme.look("1").state for _ in range(20)} == {LookState.STALE}
    hang.set()
    acme.settle()
    assert len(acme.shop.looked) == 2


@pytest.mark.parametrize("near", [True, False])
def test_renewals_begin_one_after_the_other_and_hold_up_nobody_who_waits(desk, monkeypatch, near):
    acme, ids, gate, pausing = desk(), list("123456"), threading.Semaphore(0), []

    def pause(seconds):
        if seconds != looks._PACE:
            return time.sleep(seconds)
        pausing.append(seconds)
        return gate.acquire(timeout=PATIENCE)

    acme.shop.stock = {one: raw_record(one, price=100) for one in [*ids, "7"]}
    acme.look(*ids)
    acme.settle()
    acme.cache.near = near
    acme.clock.advance(10)
    monkeypatch.setattr(looks, "time", SimpleNamespace(sleep=pause, monotonic=time.monotonic))
    assert {look.state for look in acme.look(*ids)} == {LookState.STALE}
    assert acme.look("7").state is LookState.LIVE
    assert acme.shop.looked[6:] == [("7",)]
    assert len(pausing) <= 1  # it may not have got so far
    gate.release(6)
    acme.settle()
    assert len(pausing) == 6
    assert sorted(acme.shop.looked[7:]) == [(one,) for one in ids]


def test_a_renewal_for_which_there_is_no_room_is_left_to_the_next_who_asks(desk, monkeypatch):
    acme, gate = desk(), threading.Event()
    acme.look("1", "2")
    acme.settle()
    acme.clock.advance(10)
    with monkeypatch.context() as patch:
        patch.setattr(fanout, "_MOST_WAITING", 0)
        patch.setattr(looks, "time", SimpleNamespace(sleep=lambda _: gate.wait(PATIENCE), monotonic=time.monotonic))
        assert [look.state for look in acme.look("1", "2")] == [LookState.STALE] * 2
        assert [flight.wanted.source_id for flight in acme.looks._flights.values()] == ["1"]
        gate.set()
        acme.settle()
    assert acme.shop.looked[2:] == [("1",)]
    assert [look.state for look in acme.look("1", "2")] == [LookState.CACHED, LookState.STALE]
    acme.settle()
    assert acme.shop.looked[3:] == [("2",)]


def test_what_has_aged_in_the_shared_tier_alone_is_served_at_once_too(desk):
    acme, hang = desk(), threading.Event()
    acme.look("1")
    acme.settle()  # its lock is given back
    acme.cache.near = False
    acme.clock.advance(10)
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    first = acme.look("1")
    acme.clock.advance(2)
    second = acme.look("1")
    assert [(look.state, look.age_s, look.reason) for look in (first, second)] == [
        (LookState.STALE, 10, None),
        (LookState.STALE, 12, None),
    ]
    hang.set()
    acme.settle()
    assert len(acme.shop.looked) == 2


def test_a_look_after_a_purge_is_no_part_of_one_from_before_it(desk):
    acme, began, hang = desk(), threading.Event(), threading.Event()
    acme.shop.trouble = lambda _: began.set() or (hang.wait(PATIENCE) and None)
    before = acme.begin("1")["1"]
    assert began.wait(PATIENCE)
    acme.guards.states["acme"] = GuardState(purged_at=acme.clock.now().timestamp())
    acme.clock.advance(1)
    after = acme.begin("1")["1"]
    acme.shop.stock["1"] = raw_record("1", price=200)
    hang.set()
    Promise.wait([before.landed, after.landed], time.monotonic() + PATIENCE)
    assert (after.joined, after.finish().state, price(after.finish()), after.finish().age_s) == (False, LookState.LIVE, 200, 0)
    acme.settle()
    assert len(acme.shop.looked) == 2
    assert (acme.look("1").state, price(acme.look("1"))) == (LookState.CACHED, 200)


def test_a_look_after_a_purge_waits_for_its_own_answer_where_a_renewal_is_under_way(desk):
    acme, hang = desk(), threading.Event()
    acme.look("1")
    acme.settle()
    acme.clock.advance(10)
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    assert acme.look("1").state is LookState.STALE
    acme.guards.states["acme"] = GuardState(purged_at=acme.clock.now().timestamp())
    acme.clock.advance(1)
    after = acme.begin("1")["1"]
    assert not after.landed.kept
    hang.set()
    Promise.wait([after.landed], time.monotonic() + PATIENCE)
    assert (after.finish().state, after.finish().age_s) == (LookState.LIVE, 0)


def test_calls_that_hang_keep_nobody_from_what_the_shared_tier_has(desk):
    acme, hang = desk(concurrency=1), threading.Event()
    acme.look("1")
    acme.settle()  # its lock is given back
    acme.cache.near = False
    acme.clock.advance(1)
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    acme.begin("2")
    assert acme.look("1").state is LookState.CACHED
    acme.clock.advance(9)
    assert acme.look("1").state is LookState.STALE
    hang.set()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (UpstreamTimeout("late"), LookState.TIMEOUT),
        (UpstreamRefused("500", 500), LookState.ERROR),
        (UpstreamThrottled("429", 429, 3), LookState.RATE_LIMITED),
        (UpstreamPaused("paused", 3), LookState.RATE_LIMITED),
        (UpstreamOpen("open", 3), LookState.OPEN),
    ],
)
def test_a_shop_that_does_not_answer_is_told_and_an_old_answer_steps_in(desk, error, state):
    acme = desk()
    acme.shop.trouble = error
    look = acme.look("1")
    assert (look.state, look.figures, look.age_s, look.reason) == (state, None, None, str(error))
    acme.shop.trouble = None
    acme.look("1")
    acme.clock.advance(100)
    acme.shop.trouble = error
    old = acme.look("1")
    assert (old.state, old.age_s, price(old), old.reason) == (LookState.STALE, 100, 100, str(error))
    acme.clock.advance(600)
    assert acme.look("1").state is state


def test_nobody_waits_longer_than_the_deadline_and_a_late_answer_is_kept(desk):
    acme, hang = desk(), threading.Event()
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    look = acme.look("1", seconds=0.5)
    assert (look.state, look.reason) == (LookState.TIMEOUT, "The shop did not answer in time.")
    hang.set()
    acme.settle()
    assert acme.look("1").state is LookState.CACHED


def test_whoever_comes_meanwhile_waits_for_the_same_answer(desk):
    acme, hang = desk(), threading.Event()
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    begun = [acme.begin("1")["1"] for _ in range(10)]
    hang.set()
    Promise.wait([flight.landed for flight in begun], time.monotonic() + PATIENCE)
    assert {price(flight.finish()) for flight in begun} == {100}
    assert len(acme.shop.looked) == 1


def test_two_workers_ask_once(desk):
    one, hang = desk(), threading.Event()
    other = desk(FakeShop(_1=100), one.cache)
    one.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    first, second = one.begin("1")["1"], other.begin("1")["1"]
    while not one.shop.looked + other.shop.looked:
        time.sleep(0.005)
    hang.set()
    Promise.wait([first.landed, second.landed], time.monotonic() + PATIENCE)
    assert [flight.finish().state for flight in (first, second)].count(LookState.LIVE) == 2
    assert len(one.shop.looked + other.shop.looked) == 1
    assert [flight.finish().joined for flight in (first, second)].count(True) == 1


def test_a_refresh_that_another_worker_makes_is_left_to_it(desk):
    one = desk()
    other = desk(FakeShop(_1=100), one.cache)
    one.look("1")
    one.settle()  # its lock is given back
    one.clock.advance(10)
    one.cache.lock(one.looks._kept.key(Wanted("1")), "another worker", 100)  # as the other process would name it
    assert other.look("1").state is LookState.STALE
    other.settle()
    assert other.shop.looked == []


def test_the_work_of_a_worker_that_died_is_taken_over(desk):
    acme = desk()
    key = acme.looks._kept.key(Wanted("1"))
    acme.cache.lock(key, "a worker that died", 1)
    flight = acme.begin("1")["1"]
    time.sleep(0.1)
    assert not flight.landed.kept
    acme.clock.advance(1.1)
    Promise.wait([flight.landed], time.monotonic() + PATIENCE)
    assert flight.finish().state is LookState.LIVE


def test_an_answer_found_once_the_lock_is_had_is_not_asked_for_again(desk, monkeypatch):
    acme = desk()
    acme.look("1")
    acme.settle()  # its answer is kept
    known, acme.cache.kept = dict(acme.cache.kept), {}

    def take(key, owner, seconds, lock=acme.cache.lock):
        acme.cache.kept.update(known)  # the other worker leaves its answer just before it gives the lock back
        return lock(key, owner, seconds)

    monkeypatch.setattr(acme.cache, "lock", take)
    assert acme.look("1").state is LookState.LIVE
    assert len(acme.shop.looked) == 1


def test_a_product_the_shop_no_longer_has_and_one_that_is_none_are_told_and_not_asked_for_at_once_again(desk):
    acme = desk()
    acme.shop.stock["2"] = orjson.dumps({"id": "2", "fault": "is negative"})
    for _ in range(2):
        gone, wrong = acme.look("9", "2")
        assert (gone.state, gone.reason, gone.answered) == (LookState.ERROR, "The shop no longer has this product.", True)
        assert (wrong.reason, wrong.answered) == ("The shop's record is no valid product: price: is negative", False)
    assert len(acme.shop.looked) == 2
    acme.clock.advance(6)
    acme.look("9")
    assert len(acme.shop.looked) == 3


def test_a_source_without_looks_one_that_is_off_and_one_switched_off_by_hand_are_not_asked(desk):
    without, off, switched = desk(FakeShop(size=0)), desk(enabled=False), desk()
    switched.guards.states["acme"] = GuardState(enabled=False)
    assert without.look("1") == Look(LookState.CACHED, reason="This source has no live looks.")
    assert off.look("1").reason == switched.look("1").reason == "This source is switched off."
    assert off.shop.looked == switched.shop.looked == []
    off.guards.states["acme"] = GuardState(enabled=True)
    assert off.look("1").state is LookState.LIVE


def test_products_that_cannot_be_asked_for_are_confirmed_as_long_as_their_last_sync_is(desk):
    without = desk(FakeShop(size=0))
    assert [without.begin("1", current=current)["1"].state for current in (True, False)] == [LookState.CACHED, LookState.STALE]


def test_of_a_shop_that_may_not_be_asked_what_is_at_hand_is_given_without_a_thread_or_a_lock(desk, monkeypatch):
    acme = desk()
    acme.look("1")
    acme.settle()
    acme.shop.held = UpstreamOpen("The shop failed too often; it is tried again in 4 s.", 3.5)
    monkeypatch.setattr(acme.lanes, "submit", None)  # whoever calls it finds out
    acme.clock.advance(10)
    aged = acme.look("1")
    assert (aged.state, aged.age_s, aged.reason) == (LookState.STALE, 10, None)
    acme.clock.advance(100)
    old = acme.look("1")
    assert (old.state, old.age_s, price(old), old.reason) == (LookState.STALE, 110, 100, str(acme.shop.held))
    assert acme.shop.looked == [("1",)]


@pytest.mark.parametrize(
    ("held", "state"), [(UpstreamOpen("open", 3), LookState.OPEN), (UpstreamPaused("paused", 3), LookState.RATE_LIMITED)]
)
def test_of_a_shop_that_may_not_be_asked_another_workers_answer_is_found_and_no_lock_is_taken(desk, monkeypatch, held, state):
    acme = desk()
    other = desk(cache=acme.cache)
    acme.look("1")
    acme.settle()
    other.shop.held = held
    monkeypatch.setattr(other.cache, "peek", lambda _: None)  # it is in the shared cache only
    monkeypatch.setattr(other.cache, "lock", None)
    other.clock.advance(100)
    found, missing = other.look("1", "2")
    assert (found.state, price(found), found.reason) == (LookState.STALE, 100, str(held))
    assert (missing.state, missing.figures, missing.reason) == (state, None, str(held))
    assert other.shop.looked == []


def test_nobody_waits_for_the_call_that_tries_a_shop_again(desk):
    acme, hang = desk(), threading.Event()
    now = acme.clock.now().timestamp()
    acme.guards.states["acme"] = GuardState(opened_at=now - 6, open_until=now - 1)  # half open: one call may try
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    first, joined = acme.look("1"), acme.look("1")
    assert [(look.state, look.reason) for look in (first, joined)] == [
        (LookState.OPEN, "The shop failed too often; it is being tried just now.")
    ] * 2
    hang.set()
    acme.settle()
    assert len(acme.shop.looked) == 1
    acme.guards.states["acme"] = GuardState()
    assert acme.look("1").state is LookState.CACHED


def test_a_try_that_another_worker_makes_is_left_to_it(desk):
    acme = desk()
    now = acme.clock.now().timestamp()
    acme.guards.states["acme"] = GuardState(opened_at=now - 6, open_until=now - 1)
    acme.cache.lock(acme.looks._kept.key(Wanted("1")), "another worker", 100)  # as the other process would name it
    assert acme.look("1").state is LookState.OPEN
    acme.settle()
    assert acme.shop.looked == []


def test_a_purge_makes_what_was_kept_a_miss(desk):
    acme = desk()
    acme.look("1")
    acme.guards.states["acme"] = GuardState(purged_at=acme.clock.now().timestamp())
    acme.clock.advance(0.1)
    assert acme.look("1").state is LookState.LIVE


def test_a_newer_answer_in_the_shared_tier_counts_more_than_the_one_at_hand(desk):
    acme = desk()
    other = desk(FakeShop(_1=200), acme.cache)
    acme.look("1")
    acme.settle()  # its answer is kept
    old = dict(acme.cache.kept)
    acme.clock.advance(40)
    assert price(other.look("1")) == 200
    other.settle()
    acme.cache.peek = lambda key: old[key][0]
    assert price(acme.look("1")) == 200
    assert len(acme.shop.looked) == 1


def test_what_only_the_shared_tier_has_is_found_there(desk):
    acme = desk()
    acme.look("1")
    acme.cache.near = False
    acme.clock.advance(0.1)
    assert acme.look("1").state is LookState.CACHED
    acme.clock.advance(100)
    acme.shop.trouble = UpstreamTimeout("late")
    assert acme.look("1").state is LookState.STALE
    assert len(acme.shop.looked) == 2


def test_looks_that_waited_too_long_for_a_place_are_not_made_any_more(desk):
    acme, hang = desk(concurrency=1), threading.Event()
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    acme.begin("1")
    while not acme.shop.looked:
        time.sleep(0.005)
    late = acme.begin("2", seconds=0.01)["2"]
    time.sleep(0.05)
    hang.set()
    Promise.wait([late.landed], time.monotonic() + PATIENCE)
    assert (late.finish().state, late.finish().reason) == (
        LookState.TIMEOUT,
        "No place among the calls to this shop came free in time.",
    )
    assert acme.shop.looked == [("1",)]


def test_a_crowded_lane_refuses_at_once(desk):
    acme, hang = desk(concurrency=1), threading.Event()
    acme.shop.trouble = lambda _: hang.wait(PATIENCE) and None
    begun = acme.begin(*map(str, range(600)))
    until = time.monotonic() + PATIENCE
    # 500 wait and one is being made, which may have left the queue already or not yet.
    while len(crowded := [flight for flight in begun.values() if flight.landed.kept]) < 99 and time.monotonic() < until:
        time.sleep(0.005)
    assert len(crowded) in {99, 100}
    assert {flight.finish().state for flight in crowded} == {LookState.TIMEOUT}
    hang.set()


def test_a_crowd_before_a_cache_that_hangs_is_refused_at_once(desk):
    acme, hang = desk(), threading.Event()
    acme.cache.near = False
    acme.cache.consult = lambda _: hang.wait(PATIENCE) and None
    begun = acme.begin(*map(str, range(600)))
    crowded = [flight for flight in begun.values() if flight.landed.kept]
    assert len(crowded) == 600 - 500 - 8
    assert {flight.finish().reason for flight in crowded} == {"No place among the calls to this shop came free in time."}
    hang.set()


def test_a_shop_that_outlives_every_deadline_is_given_up(desk):
    acme = desk(timeout=timedelta(milliseconds=50))
    acme.cache.lock(acme.looks._kept.key(Wanted("1")), "another worker that hangs", 100)
    assert acme.look("1").reason == "The shop did not answer in time."


def test_a_defect_is_no_endless_wait(desk, log_lines):
    acme = desk()
    acme.shop.trouble = lambda _: 1 / 0
    assert acme.look("1").reason == "An error inside Aisle; the log has its trace."
    until = time.monotonic() + PATIENCE
    while not any(line["event"] == "live.look_broke" for line in log_lines()) and time.monotonic() < until:
        time.sleep(0.01)
    acme.settle()
    assert acme.cache.locks == {}


def test_a_defect_before_the_start_leaves_nothing_that_others_would_wait_for(desk, monkeypatch):
    acme = desk()
    with monkeypatch.context() as broken:
        broken.setattr(acme.lanes, "submit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            acme.begin("1", "2")
    assert acme.looks._flights == {}
    assert {look.state for look in acme.look("1", "2")} == {LookState.LIVE}


def test_a_lock_that_cannot_be_had_leaves_none_behind(desk, monkeypatch):
    acme, lock = desk(FakeShop(size=2, _1=100, _2=200)), FakeCache.lock
    with monkeypatch.context() as broken:
        broken.setattr(FakeCache, "lock", lambda self, key, *given: (key.endswith("1") and lock(self, key, *given)) or 1 / 0)
        assert {look.reason for look in acme.look("1", "2")} == {"An error inside Aisle; the log has its trace."}
        acme.settle()
    assert acme.cache.locks == {}


def test_whoever_waits_is_answered_before_the_answer_is_kept_and_who_comes_meanwhile_finds_it_kept(desk, monkeypatch):
    acme, goes_on, keep = desk(), threading.Event(), FakeCache.set
    monkeypatch.setattr(acme.cache, "set", lambda *given: goes_on.wait(PATIENCE) and keep(acme.cache, *given))
    assert acme.look("1").state is LookState.LIVE
    acme.clock.advance(1)
    second = acme.begin("1")["1"]
    assert (second.joined, second.landed.kept) == (False, False)
    goes_on.set()
    Promise.wait([second.landed], time.monotonic() + PATIENCE)
    assert (second.finish().state, acme.shop.looked) == (LookState.CACHED, [("1",)])


@pytest.mark.parametrize("slow", ["consult", "lock"])
def test_a_slow_cache_leaves_the_shop_time_to_answer(desk, monkeypatch, slow):
    ids = [str(number) for number in range(100)]
    acme, call = desk(FakeShop(size=100)), getattr(FakeCache, slow)
    acme.shop.stock = {one: raw_record(one, price=100) for one in ids}
    with monkeypatch.context() as slowed:
        slowed.setattr(acme.cache, slow, lambda *given: time.sleep(0.1) or call(acme.cache, *given))
        assert {look.state for look in acme.look(*ids, seconds=4)} == {LookState.LIVE}
    assert sorted(one for call in acme.shop.looked for one in call) == sorted(ids)


def renew_slowly(acme, gate, *ids):
    """Have these products renewed, each when the gate lets it through: the first is being asked for, the others wait."""
    acme.look("1", "2", "3")
    acme.settle()
    acme.clock.advance(10)
    acme.shop.trouble = lambda _: gate.acquire(timeout=PATIENCE) and None
    assert {look.state for look in acme.look(*ids)} == {LookState.STALE}
    wait_until(lambda: len(acme.lanes._lanes["acme"].unhurried) == len(ids) - 1)


def wait_until(seen):
    until = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_renewals_let_those_pass_who_wait(desk):
    acme, gate = desk(concurrency=1), threading.Semaphore(0)
    renew_slowly(acme, gate, "1", "2")
    acme.shop.stock["4"] = raw_record("4", price=400)
    awaited = acme.begin("4")["4"]
    wait_until(lambda: acme.lanes._lanes["acme"].waiting)
    gate.release(2)
    Promise.wait([awaited.landed], time.monotonic() + PATIENCE)
    assert (awaited.finish().state, acme.shop.looked[3:5]) == (LookState.LIVE, [("1",), ("4",)])
    gate.release(1)


def test_renewals_are_made_however_little_time_the_caller_had(desk):
    acme, ids = desk(concurrency=1), [str(number) for number in range(20)]
    acme.shop.stock = {one: raw_record(one, price=100) for one in ids}
    acme.look(*ids)
    acme.settle()
    acme.clock.advance(10)
    assert {look.state for look in acme.look(*ids, seconds=0.001)} == {LookState.STALE}
    acme.settle()
    assert sorted(one for call in acme.shop.looked[20:] for one in call) == sorted(ids)


def test_whoever_has_to_wait_does_not_wait_for_a_renewal_that_has_not_begun(desk):
    acme, gate = desk(concurrency=1), threading.Semaphore(0)
    renew_slowly(acme, gate, "1", "2", "3")
    acme.clock.advance(100)  # too old to be served at once by now
    awaited = acme.begin("3")["3"]
    assert not awaited.joined
    wait_until(lambda: acme.lanes._lanes["acme"].waiting)
    gate.release(3)
    Promise.wait([awaited.landed], time.monotonic() + PATIENCE)
    acme.settle()
    assert (awaited.finish().state, acme.shop.looked[3:]) == (LookState.LIVE, [("1",), ("3",), ("2",)])


def test_closing_gives_the_connections_back(desk):
    acme = desk()
    acme.looks.close()
    assert acme.shop.closed == 1


def test_a_product_is_listed_by_source_and_id():
    assert Listed("acme", Wanted("1")).wanted.source_id == "1"
