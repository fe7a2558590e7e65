"""The breaker's decisions, as a table and against a crowd of random calls."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.resources.upstream.breaker import Ended, Verdict, begin, find_hold, finish, is_calm, judge, take_retry
from main.service.errors import (
    CrawlStopped,
    NoAccessToken,
    TokenOutworn,
    UpstreamClosed,
    UpstreamGarbled,
    UpstreamOpen,
    UpstreamPaused,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from main.service.model import BreakerMode, BreakerState, GuardState

NOW = 1_770_000_000.0
DOWN = UpstreamUnreachable("The shop refuses connections.")


def end(state, verdict, at=NOW, *, owner="one", error=DOWN, luck=0.0, seconds=0.0):
    error = None if verdict is Verdict.GOOD else error
    return finish(state, Ended(owner, verdict, at, seconds, error), luck)


def fail(state, times, at=NOW, **more):
    for _ in range(times):
        state = end(state, Verdict.BAD, at, **more)
    return state


def opened(**more):
    return replace(fail(GuardState(), 5), **more)


class TestJudgement:
    @pytest.mark.parametrize(
        ("error", "verdict"),
        [
            (None, Verdict.GOOD),
            (UpstreamTimeout("x"), Verdict.BAD),
            (DOWN, Verdict.BAD),
            (UpstreamGarbled("x"), Verdict.BAD),
            *((NoAccessToken("x", status), Verdict.BAD) for status in (200, 302, 400, 404, 410, 500)),
            (UpstreamThrottled("x", 429, 3), Verdict.THROTTLED),
            (UpstreamThrottled("x", 503, 3), Verdict.THROTTLED),
            *((UpstreamRefused("x", status), Verdict.BAD) for status in (401, 403, 407, 408, 500, 502, 503, 504, 599)),
            *((UpstreamRefused("x", status), Verdict.GOOD) for status in (400, 404, 405, 410, 418, 422, 451)),
            *((UpstreamRefused("x", status), Verdict.NEUTRAL) for status in (204, 301, 302, 307)),
            (CrawlStopped("x"), Verdict.NOTHING),
            (TokenOutworn("x", 401), Verdict.NOTHING),
            (UpstreamClosed("x"), Verdict.NOTHING),
            (KeyboardInterrupt(), Verdict.NOTHING),
            (GeneratorExit(), Verdict.NOTHING),
            (ZeroDivisionError(), Verdict.NOTHING),
        ],
    )
    def test_each_end_tells_something_about_the_shop(self, error, verdict):
        assert judge(error) is verdict


class TestOpening:
    def test_four_failures_in_a_row_are_borne_and_the_fifth_opens(self):
        assert fail(GuardState(), 4).breaker(NOW) is BreakerState.CLOSED
        state = fail(GuardState(), 5)
        assert (state.breaker(NOW), state.open_for(NOW), state.opened_at) == (BreakerState.OPEN, 5.0, NOW)

    def test_one_good_call_ends_a_row_of_failures(self):
        state = end(fail(GuardState(), 4), Verdict.GOOD)
        assert fail(state, 4).breaker(NOW) is BreakerState.CLOSED

    @pytest.mark.parametrize(
        ("calls", "opens"), [("bg" * 9, False), ("bg" * 10, True), ("bgg" * 20, False), ("ggbb" * 5, True)]
    )
    def test_half_of_at_least_twenty_calls_within_ten_seconds_opens(self, calls, opens):
        state = GuardState()
        for place, call in enumerate(calls):
            state = end(state, Verdict.BAD if call == "b" else Verdict.GOOD, NOW + 0.4 * place)
        assert (state.opened_at is not None) is opens

    @pytest.mark.parametrize(
        ("state", "calm"),
        [
            (GuardState(), True),
            (GuardState(calls=7, failures=3, buckets=((NOW - 20, 4, 0),), last_error="x", retry_tokens=2.0), True),
            (GuardState(failures_in_row=1), False),
            (GuardState(buckets=((NOW - 2, 4, 1),)), False),
            (GuardState(opened_at=NOW), False),
            (GuardState(probe_owner="one"), False),
        ],
    )
    def test_a_good_end_only_counts_where_nothing_has_failed_lately(self, state, calm):
        assert is_calm(state) is calm
        after = finish(state, Ended("other", Verdict.GOOD, NOW + 1), 0.5)
        counts = {"calls", "buckets", "durations_ms", "retry_tokens"}
        changed = {name for name in GuardState.__slots__ if getattr(state, name) != getattr(after, name)}
        assert not calm or changed <= counts

    def test_calls_of_more_than_ten_seconds_ago_count_no_more(self):
        state = GuardState()
        for place in range(100):
            state = end(state, (Verdict.BAD, Verdict.GOOD)[place % 2], NOW + 0.6 * place)
        assert state.opened_at is None
        assert len(state.buckets) <= 10

    def test_a_good_call_that_is_counted_a_moment_late_forgets_no_failure(self):
        state = end(fail(GuardState(), 3, NOW + 1), Verdict.GOOD, NOW + 0.95)
        assert sum(failures for _, _, failures in state.buckets) == 3
        assert sum(calls for _, calls, _ in state.buckets) == 4
        assert state.failures_in_row == 3
        assert end(state, Verdict.GOOD, NOW + 1.1).failures_in_row == 0

    def test_one_that_is_counted_in_the_second_after_next_forgets_none_either(self):
        state = end(fail(GuardState(), 3, NOW + 2), Verdict.GOOD, NOW + 0.9)
        assert [(calls, failures) for _, calls, failures in state.buckets] == [(4, 3)]
        assert state.failures_in_row == 3

    def test_after_a_clock_was_set_back_a_good_call_ends_a_row_all_the_same(self):
        assert end(fail(GuardState(), 3, NOW + 3600), Verdict.GOOD, NOW).failures_in_row == 0

    def test_a_clock_set_back_forgets_what_is_ahead(self):
        state = fail(GuardState(), 4, NOW + 3600)
        assert end(state, Verdict.GOOD, NOW).buckets == ((int(NOW), 1, 0),)

    @pytest.mark.parametrize("verdict", [Verdict.NEUTRAL, Verdict.THROTTLED, Verdict.NOTHING])
    def test_an_end_that_says_neither_leaves_the_row_as_it_is(self, verdict):
        state = end(fail(GuardState(), 4), verdict)
        assert (state.failures_in_row, state.failures) == (4, 4)
        assert fail(state, 1).breaker(NOW) is BreakerState.OPEN

    def test_a_person_can_keep_it_closed_while_failures_are_counted_all_the_same(self):
        state = fail(GuardState(mode=BreakerMode.CLOSED), 30)
        assert (state.opened_at, state.failures, state.failures_in_row) == (None, 30, 30)
        assert find_hold(state, "one", NOW) is None
        assert fail(replace(state, mode=BreakerMode.AUTO), 1).breaker(NOW) is BreakerState.OPEN

    @pytest.mark.parametrize(("luck", "seconds"), [(0, [5, 6.25, 7.8125, 8, 8]), (1, [5.75, 7.1875, 8.984375, 9.2, 9.2])])
    def test_it_stays_open_longer_each_time_but_never_ten_seconds(self, luck, seconds):
        state, seen = fail(GuardState(), 5, luck=luck), []
        for _ in seconds:
            seen.append(state.open_for(state.opened_at))
            state = end(begin(state, "one", state.open_until, 1), Verdict.BAD, state.open_until, luck=luck)
        assert seen == pytest.approx(seconds)


class TestHalfOpen:
    def test_an_open_breaker_says_when_the_next_try_is(self):
        held = find_hold(opened(), "one", NOW + 1.5)
        assert isinstance(held, UpstreamOpen)
        assert (str(held), held.retry_after) == ("The shop failed too often; it is tried again in 4 s.", 3.5)

    def test_one_call_tries_the_shop_and_the_others_wait_for_its_end(self):
        later = NOW + 5
        state = opened()
        assert (state.breaker(later), find_hold(state, "one", later)) == (BreakerState.HALF_OPEN, None)
        state = begin(state, "one", later, 3)
        assert find_hold(state, "one", later) is None
        held = find_hold(state, "two", later)
        assert (type(held), held.retry_after) == (UpstreamOpen, 1.0)
        assert find_hold(state, "two", later + 3.9).retry_after == pytest.approx(0.1)

    def test_a_probe_that_never_ended_is_replaced_a_second_after_its_deadline(self):
        state = begin(opened(), "dead", NOW + 5, 3)
        assert find_hold(state, "two", NOW + 9) is None
        state = end(begin(state, "two", NOW + 9, 3), Verdict.GOOD, NOW + 9, owner="dead")
        assert (state.probe_owner, state.opened_at) == ("two", NOW)
        assert end(state, Verdict.GOOD, NOW + 9, owner="two").opened_at is None

    @pytest.mark.parametrize(("patience", "seconds"), [(-5, 1), (0.5, 1.5), (3600, 31)])
    def test_a_probe_holds_others_back_for_a_bounded_time(self, patience, seconds):
        assert begin(opened(), "one", NOW + 5, patience).probed_for(NOW + 5) == seconds

    def test_a_good_probe_closes_and_all_is_forgiven(self):
        state = end(begin(opened(), "one", NOW + 5, 3), Verdict.GOOD, NOW + 6)
        assert (state.breaker(NOW + 6), state.buckets, state.failures_in_row, state.times_opened) == (
            BreakerState.CLOSED,
            (),
            0,
            0,
        )
        assert (state.probe_owner, state.probe_until, state.open_until) == (None, None, None)
        assert fail(state, 4, NOW + 6).breaker(NOW + 6) is BreakerState.CLOSED

    def test_a_refusal_of_one_item_is_a_good_probe(self):
        verdict = judge(UpstreamRefused("The shop answered 404.", 404))
        assert end(begin(opened(), "one", NOW + 5, 3), verdict, NOW + 6).opened_at is None

    @pytest.mark.parametrize("verdict", [Verdict.BAD, Verdict.NEUTRAL])
    def test_a_probe_that_does_not_go_well_opens_it_again(self, verdict):
        state = end(begin(opened(), "one", NOW + 5, 3), verdict, NOW + 6)
        assert (state.opened_at, state.open_until, state.probe_owner) == (NOW + 6, NOW + 12.25, None)

    def test_a_probe_that_was_given_up_only_frees_its_place(self):
        state = end(begin(opened(), "one", NOW + 5, 3), Verdict.NOTHING, NOW + 6)
        assert (state.opened_at, state.probe_owner, state.breaker(NOW + 6)) == (NOW, None, BreakerState.HALF_OPEN)
        assert find_hold(state, "two", NOW + 6) is None

    @pytest.mark.parametrize(("asked", "seconds"), [(0, 5), (3, 5), (None, 5), (30, 30), (86400, 60)])
    def test_a_probe_that_is_asked_to_leave_the_shop_alone_is_the_last_for_five_seconds_at_least(self, asked, seconds):
        error = UpstreamThrottled("slow down", 429, asked)
        state = end(begin(opened(), "one", NOW + 5, 3), Verdict.THROTTLED, NOW + 6, error=error)
        assert (state.opened_at, state.probe_owner, state.breaker(NOW + 6)) == (NOW, None, BreakerState.HALF_OPEN)
        assert type(find_hold(state, "two", NOW + 6 + seconds - 0.1)) is UpstreamPaused
        assert find_hold(state, "two", NOW + 6 + seconds) is None

    @pytest.mark.parametrize("verdict", [Verdict.NEUTRAL, Verdict.THROTTLED])
    def test_a_late_end_of_any_other_call_opens_nothing_again(self, verdict):
        state = end(begin(opened(), "one", NOW + 5, 3), verdict, NOW + 6, owner="late", error=UpstreamThrottled("x", 429, 0))
        assert (state.opened_at, state.probe_owner, state.paused_for(NOW + 6)) == (NOW, "one", 0)

    @pytest.mark.parametrize("verdict", [Verdict.GOOD, Verdict.BAD])
    def test_a_call_that_began_before_it_opened_changes_nothing_about_it(self, verdict):
        state = end(opened(), verdict, NOW + 1, owner="late")
        assert (state.opened_at, state.open_until) == (NOW, NOW + 5)

    def test_closed_by_a_person_it_forgets_that_it_was_open_with_the_next_good_call(self):
        state = end(opened(mode=BreakerMode.CLOSED), Verdict.GOOD, NOW + 1)
        assert (state.opened_at, replace(state, mode=BreakerMode.AUTO).breaker(NOW + 1)) == (None, BreakerState.CLOSED)

    def test_switched_off_by_hand_it_lets_nobody_through(self):
        held = find_hold(GuardState(mode=BreakerMode.FORCED_OPEN, paused_until=NOW + 9), "one", NOW)
        assert (type(held), str(held), held.retry_after) == (UpstreamOpen, "The source's breaker is forced open by hand.", None)


class TestPause:
    @pytest.mark.parametrize(("asked", "seconds"), [(3, 3), (None, 5), (0, 0), (60, 60), (86400, 60)])
    def test_the_whole_source_pauses_for_as_long_as_the_shop_asks_but_a_minute_at_most(self, asked, seconds):
        state = end(GuardState(), Verdict.THROTTLED, error=UpstreamThrottled("slow down", 429, asked))
        assert state.paused_for(NOW) == seconds
        assert find_hold(state, "one", NOW + seconds) is None
        if seconds:
            held = find_hold(state, "one", NOW + seconds - 0.5)
            assert (type(held), held.retry_after) == (UpstreamPaused, 0.5)
            assert str(held) == "The shop asked to be left alone for 1 s more."

    def test_the_longer_of_two_pauses_is_kept(self):
        state = end(GuardState(), Verdict.THROTTLED, error=UpstreamThrottled("slow down", 429, 30))
        assert end(state, Verdict.THROTTLED, NOW + 1, error=UpstreamThrottled("x", 429, 2)).paused_for(NOW + 1) == 29

    def test_a_pause_holds_for_a_breaker_that_a_person_keeps_closed_too(self):
        assert find_hold(GuardState(mode=BreakerMode.CLOSED, paused_until=NOW + 1), "one", NOW) is not None


class TestBudget:
    @pytest.mark.parametrize("lucky", [True, False])
    def test_a_thousand_calls_cause_at_most_a_hundred_and_ten_retries(self, lucky):
        state, physical = GuardState(mode=BreakerMode.CLOSED), 0
        for _ in range(1000):
            state, physical = end(state, Verdict.BAD), physical + 1
            state, allowed = take_retry(state)
            if allowed:
                state, physical = end(state, Verdict.GOOD if lucky else Verdict.BAD), physical + 1
        assert 1100 <= physical <= 1110

    def test_the_budget_never_grows_beyond_ten(self):
        state = GuardState()
        for _ in range(500):
            state = end(state, Verdict.GOOD)
        taken = 0
        while True:
            state, allowed = take_retry(state)
            if not allowed:
                break
            taken += 1
        assert taken == 9  # each is counted together with the tenth that its own call will bring
        assert take_retry(state) == (state, False)


class TestCounting:
    def test_calls_failures_and_the_last_error_are_kept(self):
        state = end(GuardState(), Verdict.GOOD, seconds=0.0124)
        state = end(state, Verdict.BAD, NOW + 1, seconds=3, error=UpstreamTimeout("The shop did not answer in time."))
        state = end(state, Verdict.GOOD, NOW + 2)
        assert (state.calls, state.failures, state.durations_ms) == (3, 1, (12, 3000, 0))
        told = (state.last_error_type, state.last_error, state.last_error_at)
        assert told == ("UpstreamTimeout", "The shop did not answer in time.", NOW + 1)

    def test_a_missing_item_is_not_the_last_error(self):
        error = UpstreamRefused("The shop answered 404.", 404)
        assert finish(GuardState(), Ended("one", Verdict.GOOD, NOW, 0.1, error), 0).last_error is None

    def test_a_call_given_up_by_us_leaves_no_trace(self):
        assert end(GuardState(), Verdict.NOTHING) == GuardState()

    def test_only_the_last_hundred_durations_are_kept(self):
        state = GuardState()
        for number in range(150):
            state = end(state, Verdict.GOOD, seconds=number / 1000)
        assert state.durations_ms == tuple(range(50, 150))


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Verdict)), st.sampled_from([0, 0.1, 0.5, 1, 3, 9.3]), st.floats(0, 1)), max_size=120
    )
)
def test_whatever_happens_the_breaker_keeps_its_promises(steps):
    state, now, tries = GuardState(), NOW, []
    for number, (verdict, wait, luck) in enumerate(steps):
        now += wait
        owner = str(number)
        if find_hold(state, owner, now) is not None:
            assert state.breaker(now) is BreakerState.OPEN or state.paused_for(now)
            continue
        if state.breaker(now) is BreakerState.HALF_OPEN:
            tries.append((now, verdict))
        state = end(begin(state, owner, now, 1), verdict, now, owner=owner, luck=luck, error=UpstreamThrottled("x", 429, 2))
        assert state.probe_owner is None
        assert state.failures_in_row < 5 or state.opened_at is not None
        assert state.open_for(now) <= 9.2
        assert len(state.buckets) <= 10
    for (before, verdict), (after, _) in pairwise(tries):
        assert after - before >= 4.999 or verdict in {Verdict.GOOD, Verdict.NOTHING}
