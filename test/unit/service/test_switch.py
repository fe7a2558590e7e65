from dataclasses import replace

import pytest

from main.service.model import BreakerMode, GuardChange, GuardState
from main.service.switch import apply_change, apply_switch, is_enabled
from test.fakes import make_source

TRIPPED = GuardState(
    failures_in_row=5,
    opened_at=1.0,
    open_until=9.0,
    times_opened=3,
    probe_owner="me",
    probe_until=8.0,
    calls=40,
    failures=7,
    last_error="too slow",
)


@pytest.mark.parametrize("configured", [True, False])
@pytest.mark.parametrize("switched", [True, False, None])
def test_a_person_comes_before_the_settings(configured, switched):
    source, state = make_source(enabled=configured), GuardState(enabled=switched)
    wanted = configured if switched is None else switched
    assert is_enabled(source, state) is wanted
    assert apply_switch(source, state) == replace(source, enabled=wanted)


@pytest.mark.parametrize("mode", BreakerMode)
def test_a_breaker_that_is_set_begins_anew_and_keeps_what_was_counted(mode):
    changed = apply_change(GuardChange(mode=mode), TRIPPED)
    assert changed == GuardState(mode=mode, calls=40, failures=7, last_error="too slow")


@pytest.mark.parametrize("enabled", [True, False, None])
def test_the_switch_leaves_the_breaker_alone(enabled):
    assert apply_change(GuardChange(sets_enabled=True, enabled=enabled), TRIPPED) == replace(TRIPPED, enabled=enabled)


def test_what_is_not_given_stays():
    state = replace(TRIPPED, enabled=False)
    assert apply_change(GuardChange(), state) == state
    assert apply_change(GuardChange(mode=BreakerMode.AUTO), state).enabled is False
