import datetime as dt

import pytest

from main.service.guards import describe
from main.service.model import BreakerMode, BreakerState, GuardState

NOW = 1_000.0


def at(seconds):
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def test_a_source_that_was_never_called_has_nothing_to_tell():
    view = describe(GuardState(), NOW)
    assert (view.breaker, view.mode, view.calls, view.p50_ms, view.p95_ms) == ("closed", "auto", 0, None, None)
    assert (view.next_probe_at, view.paused_until, view.last_error, view.last_error_at) == (None, None, None, None)


@pytest.mark.parametrize(
    ("state", "breaker", "probe"),
    [
        (GuardState(opened_at=990, open_until=NOW + 5), BreakerState.OPEN, NOW + 5),
        (GuardState(opened_at=990, open_until=NOW), BreakerState.HALF_OPEN, None),
        (GuardState(mode=BreakerMode.FORCED_OPEN, opened_at=990, open_until=NOW + 5), BreakerState.OPEN, None),
        (GuardState(mode=BreakerMode.CLOSED, opened_at=990, open_until=NOW + 5), BreakerState.CLOSED, None),
    ],
)
def test_a_persons_word_comes_before_the_breakers_own(state, breaker, probe):
    view = describe(state, NOW)
    assert view.breaker is breaker
    assert view.next_probe_at == (None if probe is None else at(probe))


@pytest.mark.parametrize(("until", "shown"), [(None, None), (NOW, None), (NOW + 3, at(NOW + 3))])
def test_a_pause_is_told_while_it_lasts(until, shown):
    assert describe(GuardState(paused_until=until), NOW).paused_until == shown


@pytest.mark.parametrize(
    ("durations", "p50", "p95"), [((7,), 7, 7), ((30, 10, 20), 20, 30), (tuple(range(1, 101)), 50, 95), ((1, 2), 1, 2)]
)
def test_durations_are_told_by_nearest_rank(durations, p50, p95):
    view = describe(GuardState(durations_ms=durations), NOW)
    assert (view.p50_ms, view.p95_ms) == (p50, p95)


def test_counts_and_the_last_error_are_told():
    state = GuardState(
        calls=9,
        failures=4,
        failures_in_row=2,
        times_opened=1,
        last_error_type="UpstreamTimeout",
        last_error="too slow",
        last_error_at=900.5,
    )
    view = describe(state, NOW)
    assert (view.calls, view.failures, view.failures_in_row, view.times_opened) == (9, 4, 2, 1)
    assert (view.last_error_type, view.last_error, view.last_error_at) == ("UpstreamTimeout", "too slow", at(900.5))
