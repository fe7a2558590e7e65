from datetime import timedelta

import pytest

from main.service.errors import UpstreamOpen
from main.service.flights import LATE, Flight
from main.service.keptlooks import KeptLooks
from main.service.lookentry import Verdict, make_entry
from main.service.model import GuardState, LiveRules, Look, LookState, Wanted
from test.fakes import FakeCache, FakeClock, MemoryGuardBook

FIGURES = b'{"stock":3}'
RULES = LiveRules(fresh=timedelta(seconds=5), revalidate=timedelta(seconds=30), max_stale=timedelta(seconds=100))


class Shelf:
    """What is kept of one source's looks, and all that stands around it."""

    def __init__(self):
        self.clock = FakeClock()
        self.cache = FakeCache(self.clock)
        self.guards = MemoryGuardBook()
        self.kept = self.open()
        self.key = self.kept.key(Wanted("1"))

    def open(self, source="acme", fingerprint=b"\x01"):
        return KeptLooks(source, fingerprint, self.cache, self.guards, self.clock, RULES)

    def entry(self, figures=FIGURES, fault=None):
        return make_entry(self.clock.now().timestamp(), figures, fault)


@pytest.fixture
def shelf():
    return Shelf()


def test_what_is_kept_is_found_by_any_process_with_the_same_mapping(shelf):
    shelf.kept.keep(shelf.key, shelf.entry())
    twin = shelf.open()
    entry, verdict = twin.consult(twin.key(Wanted("1")))
    assert (bytes(entry.figures), verdict) == (FIGURES, Verdict.FRESH)


@pytest.mark.parametrize("other", [{"source": "depot"}, {"fingerprint": b"\x02"}])
def test_no_source_and_no_mapping_reads_the_answers_of_another(shelf, other):
    shelf.kept.keep(shelf.key, shelf.entry())
    kept = shelf.open(**other)
    assert kept.consult(kept.key(Wanted("1"))) == (None, Verdict.MISS)


def test_no_two_products_share_a_key(shelf):
    ids = ["1", "2", "1:", ":1", "", "acme:1"]
    assert len({shelf.kept.key(Wanted(one)) for one in ids}) == len(ids)


def test_what_is_not_in_this_process_is_looked_for_in_the_shared_tier_only_when_that_is_asked_for(shelf):
    shelf.kept.keep(shelf.key, shelf.entry())
    shelf.cache.near = False
    assert shelf.kept.peek(shelf.key) == (None, Verdict.MISS)
    assert shelf.kept.consult(shelf.key)[1] is Verdict.FRESH


def test_the_shared_tier_is_left_alone_while_what_is_at_hand_is_fresh_and_asked_once_it_has_aged(shelf, monkeypatch):
    monkeypatch.setattr(shelf.cache, "consult", consulted := [])  # whoever calls it finds out
    shelf.kept.keep(shelf.key, shelf.entry())
    assert shelf.kept.consult(shelf.key)[1] is Verdict.FRESH
    monkeypatch.setattr(shelf.cache, "consult", consulted.append)
    shelf.clock.advance(6)
    assert shelf.kept.consult(shelf.key) == (None, Verdict.MISS)
    assert consulted == [shelf.key]


def test_an_answer_is_kept_for_as_long_as_it_can_step_in(shelf):
    shelf.kept.keep(shelf.key, shelf.entry())
    shelf.clock.advance(99)
    assert shelf.kept.consult(shelf.key)[1] is Verdict.RESCUE
    shelf.clock.advance(2)
    assert shelf.cache.get(shelf.key) is None


def test_a_purge_of_this_source_makes_what_was_kept_before_it_a_miss(shelf):
    entry = shelf.entry()
    shelf.kept.keep(shelf.key, entry)
    shelf.guards.states["depot"] = GuardState(purged_at=entry.at)
    assert shelf.kept.judge(entry) is Verdict.FRESH
    shelf.guards.states["acme"] = GuardState(purged_at=entry.at)
    assert (shelf.kept.judge(entry), shelf.kept.peek(shelf.key)[1]) == (Verdict.MISS, Verdict.MISS)
    shelf.clock.advance(1)
    assert shelf.kept.judge(shelf.entry()) is Verdict.FRESH


def test_what_was_asked_before_a_purge_is_told_from_what_was_asked_after_it(shelf):
    purged_at = shelf.clock.now().timestamp()
    shelf.guards.states["acme"] = GuardState(purged_at=purged_at)
    assert [shelf.kept.is_void(purged_at + after) for after in (-1, 0, 1)] == [True, True, False]


@pytest.mark.parametrize("kept", [b"", b"{", b'{"v":999,"at":1}'])
def test_what_is_damaged_is_a_miss(shelf, kept):
    shelf.cache.set(shelf.key, kept, 100)
    assert shelf.kept.consult(shelf.key) == (None, Verdict.MISS)


def test_an_answer_is_told_with_its_age(shelf):
    entry = shelf.entry()
    assert shelf.kept.look(entry, LookState.LIVE) == Look(LookState.LIVE, 0.0, FIGURES)
    shelf.clock.advance(10)
    assert shelf.kept.look(entry, LookState.STALE, "It is closed.") == Look(LookState.STALE, 10.0, FIGURES, "It is closed.")
    shelf.clock.advance(-20)  # another machine's clock may be ahead of ours
    assert shelf.kept.look(entry, LookState.CACHED).age_s == 0


@pytest.mark.parametrize("state", [LookState.LIVE, LookState.CACHED, LookState.STALE])
def test_what_is_no_product_is_an_error_with_its_reason_whatever_was_meant(shelf, state):
    entry = shelf.entry(None, "The shop no longer has this product.")
    assert shelf.kept.look(entry, state, "other") == Look(LookState.ERROR, 0.0, reason="The shop no longer has this product.")


@pytest.mark.parametrize(
    ("age", "free", "held"),
    [
        (1, LookState.CACHED, LookState.CACHED),
        (10, LookState.STALE, LookState.STALE),
        (50, None, LookState.STALE),
        (101, None, None),
    ],
)
def test_what_is_at_hand_is_enough_while_it_is_young_or_the_shop_may_not_be_asked(shelf, age, free, held):
    entry = shelf.entry()
    shelf.clock.advance(age)
    verdict = shelf.kept.judge(entry)
    found = [shelf.kept.at_hand(entry, verdict, error) for error in (None, UpstreamOpen("The breaker is open.", 5.0))]
    assert [look and look.state for look in found] == [free, held]
    assert shelf.kept.at_hand(None, Verdict.MISS, None) is None


@pytest.mark.parametrize(("age", "state", "figures"), [(50, LookState.STALE, FIGURES), (101, LookState.TIMEOUT, None)])
def test_an_old_answer_stands_in_for_one_that_did_not_come_until_it_is_too_old(shelf, age, state, figures):
    flight = Flight(shelf.kept.stand_in, Wanted("1"), shelf.key, 0.0, 0.0, rescue=shelf.entry())
    shelf.clock.advance(age)
    look = shelf.kept.stand_in(flight, LookState.TIMEOUT, "Too late.")
    assert (look.state, look.figures, look.reason) == (state, figures, "Too late.")
    flight.rescue = None
    assert shelf.kept.stand_in(flight, LookState.TIMEOUT, None) == Look(LookState.TIMEOUT, reason=LATE)
