from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest

from main.service.errors import TooManyRequests, Unauthenticated, Unavailable
from main.service.limits import RateLimit
from main.service.loginlimits import FREE_TRIES, FREE_TRIES_OF_STRANGERS, KNOWN, LONGEST_WAIT, MEMORY, LoginLimits, next_wait
from main.service.model import Count, Policy, Rate
from main.util.metrics import COUNTERS
from test.fakes import FakeClock, MemoryCounters

HOME, CAFE = "192.0.2.1", "198.51.100.7"


class Guarded:
    """Logins of one installation, each with what came of it: "in", "wrong", or the seconds to wait."""

    def __init__(self, policy=None):
        self.clock = FakeClock()
        counters = MemoryCounters(self.clock)
        # Two workers with the same counters.
        self.workers = [LoginLimits(counters, RateLimit(counters, policy)) for _ in range(2)]
        self.tries = 0

    def login(self, password, username="ada", address=HOME):
        self.tries += 1
        try:
            with self.workers[self.tries % 2].attempt(username, address):
                if password != "right":
                    raise Unauthenticated("Wrong.")
        except Unauthenticated:
            return "wrong"
        except TooManyRequests as error:
            return error.retry_after
        return "in"


@pytest.fixture
def guarded():
    return Guarded()


@pytest.mark.parametrize(
    ("failures", "wait"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 32), (11, 60), (12, 60), (10**6, 60)]
)
def test_the_wait_doubles_up_to_a_minute(failures, wait):
    assert next_wait(failures, 5) == wait


def test_after_five_failures_each_try_waits_twice_as_long(guarded):
    assert [guarded.login("x") for _ in range(FREE_TRIES)] == ["wrong"] * FREE_TRIES
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):
        assert guarded.login("x") == wait
        guarded.clock.advance(wait - 0.5)
        assert guarded.login("right") == 1  # not even the right one, or the refusal would tell that it was wrong
        guarded.clock.advance(0.5)
        assert guarded.login("x") == "wrong"


def test_what_is_refused_prolongs_nothing(guarded):
    for _ in range(FREE_TRIES):
        guarded.login("x")
    assert [guarded.login("x") for _ in range(100)] == [1] * 100
    guarded.clock.advance(1)
    assert guarded.login("right") == "in"


def test_after_a_login_all_tries_are_free_again(guarded):
    for _ in range(FREE_TRIES):
        guarded.login("x")
    guarded.clock.advance(1)
    assert guarded.login("right") == "in"
    assert [guarded.login("x") for _ in range(FREE_TRIES)] == ["wrong"] * FREE_TRIES
    assert guarded.login("x") == 1


def test_failures_are_forgotten_after_an_hour(guarded):
    for _ in range(FREE_TRIES):
        guarded.login("x")
    guarded.clock.advance(MEMORY)
    assert [guarded.login("x") for _ in range(FREE_TRIES)] == ["wrong"] * FREE_TRIES


def test_upper_and_lower_case_are_the_same_account(guarded):
    for name in ("ada", "Ada", "ADA", "aDa", "adA"):
        guarded.login("x", name)
    assert guarded.login("x", "ada") == 1


def test_each_spelling_that_finds_an_account_counts_for_it(guarded):
    for name in ("ada", "\uff41da", "a\uff44a", "\U0001d41ada", "\uff21DA"):
        guarded.login("x", name)
    assert guarded.login("x", "ad\uff41") == 1


def test_the_figures_are_those_that_operators_are_told():
    assert (FREE_TRIES, FREE_TRIES_OF_STRANGERS, LONGEST_WAIT, MEMORY, KNOWN) == (5, 20, 60, 3600, 30 * 86_400)


def test_an_address_is_known_for_thirty_days_after_a_login(guarded):
    guarded.login("right")
    guarded.clock.advance(KNOWN - 1)
    attack(guarded, 40)
    assert guarded.login("x") == "wrong"
    guarded.clock.advance(1)
    attack(guarded, 40)
    assert guarded.login("x") != "wrong"


def test_a_refusal_says_whose_tries_were_too_many():
    guarded = Guarded(Policy("login", Rate(FREE_TRIES + 1, timedelta(minutes=1))))
    told = []
    for _ in range(FREE_TRIES + 2):
        with suppress(Unauthenticated):
            try:
                with guarded.workers[0].attempt("ada", HOME):
                    raise Unauthenticated("Wrong.")
            except TooManyRequests as error:
                told.append(str(error))
    assert told == [
        "Too many failed logins; try again after the seconds that Retry-After says.",
        "Too many logins from this address; try again after the seconds that Retry-After says.",
    ]


class EndingCounters(MemoryCounters):
    """What others hold ends at the very moment in which it is asked for."""

    def add(self, key, window):
        found = super().add(key, window)
        return Count(2, 0.0) if key.endswith(":hold") else found


def test_a_try_that_another_one_was_faster_than_waits_even_if_that_ends_now(guarded):
    limits = LoginLimits(EndingCounters(guarded.clock), RateLimit(MemoryCounters(guarded.clock), None))
    guarded.workers = [limits, limits]
    assert [guarded.login("x") for _ in range(FREE_TRIES)] == ["wrong"] * FREE_TRIES
    guarded.clock.advance(1)
    assert guarded.login("x") == 1


def test_a_try_is_taken_back_in_the_last_second_of_its_hour_too(guarded):
    assert [guarded.login("x") for _ in range(FREE_TRIES - 1)] == ["wrong"] * (FREE_TRIES - 1)
    guarded.clock.advance(MEMORY - 0.5)
    with pytest.raises(Unavailable), guarded.workers[0].attempt("ada", HOME):
        raise Unavailable("Busy.")
    assert [guarded.login("x") for _ in range(2)] == ["wrong", 1]


def test_a_name_that_nobody_has_is_held_up_alike(guarded):
    assert [guarded.login("x", "nobody") for _ in range(6)] == ["wrong"] * 5 + [1]


def test_another_account_and_another_address_are_not_held_up(guarded):
    for _ in range(FREE_TRIES):
        guarded.login("x")
    assert guarded.login("right", "bob") == "in"
    assert guarded.login("right", address=CAFE) == "in"


def attack(guarded, addresses):
    return [guarded.login("x", address=f"203.0.113.{number}") for number in range(addresses) for _ in range(FREE_TRIES)]


def test_an_attack_from_many_addresses_is_held_up_as_one(guarded):
    told = attack(guarded, 20)
    assert told.count("wrong") == FREE_TRIES_OF_STRANGERS
    guarded.clock.advance(1)
    assert attack(guarded, 20).count("wrong") == 1


def test_a_victim_gets_in_from_where_it_has_logged_in_before(guarded):
    assert guarded.login("right") == "in"
    guarded.clock.advance(86_400)
    for _ in range(10):
        attack(guarded, 40)
        guarded.clock.advance(60)
        attack(guarded, 40)
        assert guarded.login("right") == "in"


def test_a_victim_gets_in_from_a_new_address_once_the_attack_pauses(guarded):
    attack(guarded, 40)
    wait = guarded.login("right", address=CAFE)
    assert wait == 1
    guarded.clock.advance(wait)
    assert guarded.login("right", address=CAFE) == "in"
    attack(guarded, 40)
    assert guarded.login("right", address=CAFE) == "in"


def test_a_try_that_the_strangers_count_refuses_does_not_count_for_its_address(guarded):
    attack(guarded, 4)
    assert [guarded.login("x", address=CAFE) for _ in range(10)] == [1] * 10
    assert guarded.login("right") == 1
    guarded.clock.advance(60)
    assert guarded.login("right", address=CAFE) == "in"


def test_a_try_that_its_address_refuses_does_not_count_for_the_strangers(guarded):
    for _ in range(FREE_TRIES):
        guarded.login("x")
    assert [guarded.login("x") for _ in range(100)] == [1] * 100
    assert attack(guarded, 10).count("wrong") == FREE_TRIES_OF_STRANGERS - FREE_TRIES


def test_refused_tries_are_counted_for_the_operator(guarded):
    before = COUNTERS.snapshot().get("login.refused", 0)
    assert [guarded.login("x") for _ in range(FREE_TRIES + 2)][FREE_TRIES:] == [1, 1]
    assert COUNTERS.snapshot()["login.refused"] == before + 2


def test_a_try_that_ended_in_an_error_of_ours_counts_as_none(guarded):
    limits = guarded.workers[0]
    for _ in range(3 * FREE_TRIES):
        with pytest.raises(Unavailable), limits.attempt("ada", HOME):
            raise Unavailable("Busy.")
    assert [guarded.login("x") for _ in range(6)] == ["wrong"] * 5 + [1]


def test_an_error_of_ours_during_a_login_that_waited_costs_no_longer_wait(guarded):
    for _ in range(FREE_TRIES):
        guarded.login("x")
    guarded.clock.advance(1)
    with pytest.raises(Unavailable), guarded.workers[0].attempt("ada", HOME):
        raise Unavailable("Busy.")
    assert guarded.login("right") == "in"


def test_as_many_tries_as_come_at_once_do_not_slip_through_together(guarded):
    under_way = ExitStack()  # none of them has ended when the next one comes
    told = []
    for _ in range(50):
        try:
            under_way.enter_context(guarded.workers[0].attempt("ada", HOME))
        except TooManyRequests as error:
            told.append(error.retry_after)
    assert told == [1] * (50 - FREE_TRIES)


class LateCounters(MemoryCounters):
    """A worker that looks, and is overtaken by others before it counts: what it reads of tries is old."""

    def read(self, key):
        return Count() if key.endswith(":tries") else super().read(key)


def test_tries_that_were_overtaken_by_others_are_let_through_one_by_one(guarded):
    limits = LoginLimits(LateCounters(guarded.clock), RateLimit(MemoryCounters(guarded.clock), None))
    guarded.workers = [limits, limits]
    told = [guarded.login("x") for _ in range(10)]
    assert told == ["wrong"] * 5 + [1] * 5
    guarded.clock.advance(1)
    assert [guarded.login("x") for _ in range(2)] == ["wrong", 60]


def test_a_try_whose_window_has_ended_meanwhile_is_given_back_without_a_trace(guarded):
    def fail_late():
        guarded.clock.advance(MEMORY + 1)
        raise Unavailable("Slow.")

    with pytest.raises(Unavailable), guarded.workers[0].attempt("ada", HOME):
        fail_late()
    assert [guarded.login("x") for _ in range(6)] == ["wrong"] * 5 + [1]


def test_an_address_may_try_so_often_whatever_it_tries():
    guarded = Guarded(Policy("login", Rate(30, timedelta(minutes=1))))
    told = [guarded.login("x", f"user{number}") for number in range(40)]
    assert told == ["wrong"] * 30 + [60] * 10
    assert guarded.login("right", "ada", CAFE) == "in"
    guarded.clock.advance(60)
    assert guarded.login("right", "ada") == "in"
