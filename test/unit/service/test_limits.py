from datetime import timedelta

import pytest

from main.service.limits import RateLimit, counter_key, judge
from main.service.model import Count, Policy, Rate
from test.fakes import FakeClock, MemoryCounters

POLICY = Policy("api", Rate(3, timedelta(minutes=1)))


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def limit(clock):
    return RateLimit(MemoryCounters(clock), POLICY)


def test_so_many_are_allowed_in_a_window_and_no_more(limit):
    assert [limit.take("ada").allowed for _ in range(5)] == [True, True, True, False, False]


def test_each_verdict_says_how_many_are_left_and_never_fewer_than_none(limit):
    assert [limit.take("ada").remaining for _ in range(5)] == [2, 1, 0, 0, 0]


def test_callers_and_policies_are_counted_apart(limit, clock):
    counters = MemoryCounters(clock)
    for name in ("api", "login"):
        limit = RateLimit(counters, Policy(name, POLICY.rate))
        assert [limit.take(who).remaining for who in ("ada", "bob", "ada")] == [2, 2, 1]


def test_a_refused_request_prolongs_nothing(limit, clock):
    limit.take("ada")
    for _ in range(5):
        clock.advance(10)
        last = limit.take("ada")
    assert (last.allowed, last.resets_in) == (False, 10)
    clock.advance(10)
    assert limit.take("ada").remaining == 2


def test_without_a_policy_there_is_no_limit(clock):
    assert RateLimit(MemoryCounters(clock), None).take("ada") is None


@pytest.mark.parametrize(("left", "told"), [(0.0, 1), (0.2, 1), (1.0, 1), (1.1, 2), (60.0, 60), (75.0, 60)])
def test_the_time_left_is_told_in_whole_seconds_of_which_there_is_at_least_one(left, told):
    assert judge(POLICY, Count(4, left)).resets_in == told


def test_a_key_tells_nothing_of_what_it_names():
    assert counter_key("login", "ada", "192.0.2.1") == counter_key("login", "ada", "192.0.2.1")
    assert counter_key("a", "bc") != counter_key("ab", "c")
    assert len(counter_key("\ud800 any name \n" * 1000)) == 32
