from dataclasses import replace
from datetime import UTC, datetime

import pytest

from main.service.guardview import describe
from main.service.model import BreakerMode, BreakerState, GuardState, GuardView

NOW = 1_770_000_000.0


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


def test_a_source_never_called_has_little_to_tell():
    assert describe(GuardState(), NOW) == GuardView(
        state=BreakerState.CLOSED,
        mode=BreakerMode.AUTO,
        enabled=None,
        next_probe_at=None,
        paused_until=None,
        calls=0,
        failures=0,
        failures_in_row=0,
        times_opened=0,
        p50_ms=None,
        p95_ms=None,
        last_error_type=None,
        last_error=None,
        last_error_at=None,
    )


def test_a_source_in_trouble_tells_what_is_wrong_and_when_it_is_tried_again():
    state = GuardState(
        enabled=False,
        failures_in_row=5,
        opened_at=NOW - 1,
        open_until=NOW + 4,
        paused_until=NOW + 30,
        calls=9,
        failures=6,
        last_error_type="UpstreamTimeout",
        last_error="The shop did not answer in time.",
        last_error_at=NOW - 1,
    )
    view = describe(state, NOW)
    assert (view.state, view.enabled, view.next_probe_at, view.paused_until) == (
        "open",
        False,
        moment(NOW + 4),
        moment(NOW + 30),
    )
    assert (view.calls, view.failures, view.failures_in_row) == (9, 6, 5)
    assert (view.last_error_type, view.last_error_at) == ("UpstreamTimeout", moment(NOW - 1))
    later = describe(state, NOW + 40)
    assert (later.state, later.next_probe_at, later.paused_until) == ("half_open", None, None)


@pytest.mark.parametrize(("mode", "breaker"), [(BreakerMode.FORCED_OPEN, "open"), (BreakerMode.CLOSED, "closed")])
def test_a_breaker_that_a_person_holds_has_no_next_probe(mode, breaker):
    view = describe(GuardState(mode=mode, opened_at=NOW - 1, open_until=NOW + 4), NOW)
    assert (view.state, view.mode, view.next_probe_at) == (breaker, mode, None)


@pytest.mark.parametrize(
    ("durations", "p50", "p95"),
    [((7,), 7, 7), ((1, 2), 1, 2), (tuple(range(100, 0, -1)), 50, 95), (tuple(range(1, 21)), 10, 19)],
)
def test_half_of_the_last_calls_took_no_longer_and_nearly_all(durations, p50, p95):
    view = describe(replace(GuardState(), durations_ms=durations), NOW)
    assert (view.p50_ms, view.p95_ms) == (p50, p95)
