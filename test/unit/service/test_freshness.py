from dataclasses import replace
from datetime import timedelta

import pytest

from main.service.freshness import decide
from main.service.model import BreakerMode, GuardState, Outcome, SourceRecord, State
from test.fakes import NOW, make_source

SOURCE = make_source(every=timedelta(minutes=5))
GOOD = SourceRecord(name="acme", products=10, synced_at=NOW - timedelta(minutes=1), outcome=Outcome.OK)


def test_a_source_that_nothing_is_known_of_is_stale_and_has_no_age():
    status = decide(SOURCE, None, NOW)
    assert (status.state, status.current, status.age_s) == (State.STALE, False, None)
    assert status.record == SourceRecord(name="acme")


def test_a_young_snapshot_is_fresh_and_current():
    status = decide(SOURCE, GOOD, NOW)
    assert (status.state, status.current, status.age_s) == (State.FRESH, True, 60)


@pytest.mark.parametrize(("age_s", "state"), [(900, State.FRESH), (901, State.STALE)])
def test_a_snapshot_is_stale_after_three_rounds(age_s, state):
    status = decide(SOURCE, replace(GOOD, synced_at=NOW - timedelta(seconds=age_s)), NOW)
    assert (status.state, status.current) == (state, state is State.FRESH)


def test_the_settings_may_say_when_a_snapshot_is_stale():
    source = make_source(stale_after=timedelta(seconds=59))
    assert decide(source, GOOD, NOW).state is State.STALE


def test_a_snapshot_from_the_future_has_no_negative_age():
    assert decide(SOURCE, replace(GOOD, synced_at=NOW + timedelta(minutes=1)), NOW).age_s == 0


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.HELD])
def test_a_failed_or_held_attempt_is_an_error_whatever_the_age(outcome):
    status = decide(SOURCE, replace(GOOD, outcome=outcome, error_type="UpstreamTimeout"), NOW)
    assert (status.state, status.current, status.age_s) == (State.ERROR, False, 60)


def test_a_shop_that_asks_to_be_left_alone_is_rate_limited():
    record = replace(GOOD, outcome=Outcome.FAILED, error_type="UpstreamThrottled")
    assert decide(SOURCE, record, NOW).state is State.RATE_LIMITED


def test_a_live_lease_means_syncing_and_an_expired_one_says_nothing():
    assert decide(SOURCE, replace(GOOD, lease_until=NOW + timedelta(seconds=1)), NOW).state is State.SYNCING
    assert decide(SOURCE, replace(GOOD, lease_until=NOW), NOW).state is State.FRESH


def test_a_sync_under_way_keeps_a_young_snapshot_current_and_an_old_one_not():
    syncing = replace(GOOD, lease_until=NOW + timedelta(seconds=1))
    assert decide(SOURCE, syncing, NOW).current
    assert not decide(SOURCE, replace(syncing, synced_at=NOW - timedelta(days=1)), NOW).current


def test_a_disabled_source_is_disabled_whatever_happens():
    record = replace(GOOD, lease_until=NOW + timedelta(seconds=1), outcome=Outcome.FAILED)
    status = decide(make_source(enabled=False), record, NOW)
    assert (status.state, status.current) == (State.DISABLED, False)


SECONDS = NOW.timestamp()
OPEN = GuardState(opened_at=SECONDS - 1, open_until=SECONDS + 4)
PAUSED = GuardState(paused_until=SECONDS + 4)


@pytest.mark.parametrize(
    ("guard", "state"),
    [
        (None, State.FRESH),
        (GuardState(), State.FRESH),
        (OPEN, State.OPEN),
        (replace(OPEN, open_until=SECONDS), State.FRESH),
        (replace(OPEN, mode=BreakerMode.CLOSED), State.FRESH),
        (GuardState(mode=BreakerMode.FORCED_OPEN), State.OPEN),
        (PAUSED, State.RATE_LIMITED),
        (replace(PAUSED, paused_until=SECONDS), State.FRESH),
        (replace(OPEN, paused_until=SECONDS + 4), State.OPEN),
        (replace(OPEN, enabled=False), State.DISABLED),
        (GuardState(enabled=True), State.FRESH),
    ],
)
def test_a_source_that_may_not_be_called_says_so_first(guard, state):
    assert decide(SOURCE, GOOD, NOW, guard).state is state
    failed = replace(GOOD, outcome=Outcome.FAILED, error_type="UpstreamTimeout")
    assert decide(SOURCE, failed, NOW, guard).state is (State.ERROR if state is State.FRESH else state)


def test_a_persons_switch_comes_before_the_settings():
    off = make_source(enabled=False)
    assert decide(off, GOOD, NOW, GuardState()).state is State.DISABLED
    assert decide(off, GOOD, NOW, GuardState(enabled=True)).state is State.FRESH
    assert decide(off, GOOD, NOW, GuardState(enabled=True)).source.enabled
    assert decide(SOURCE, GOOD, NOW, GuardState(enabled=False)).state is State.DISABLED
    assert not decide(SOURCE, GOOD, NOW, GuardState(enabled=False)).source.enabled


def test_a_rate_that_is_used_up_is_a_limit_as_well():
    record = replace(GOOD, outcome=Outcome.FAILED, error_type="UpstreamPaused")
    assert decide(SOURCE, record, NOW).state is State.RATE_LIMITED
