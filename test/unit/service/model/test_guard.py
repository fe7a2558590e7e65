import pytest

from main.service.model import BreakerMode, BreakerState, GuardState

NOW = 1_770_000_000.0


@pytest.mark.parametrize(
    ("state", "breaker"),
    [
        (GuardState(), BreakerState.CLOSED),
        (GuardState(opened_at=NOW - 1, open_until=NOW + 4), BreakerState.OPEN),
        (GuardState(opened_at=NOW - 5, open_until=NOW), BreakerState.HALF_OPEN),
        (GuardState(mode=BreakerMode.FORCED_OPEN), BreakerState.OPEN),
        (GuardState(mode=BreakerMode.CLOSED, opened_at=NOW - 1, open_until=NOW + 4), BreakerState.CLOSED),
    ],
)
def test_a_persons_word_comes_before_the_breakers_own(state, breaker):
    assert state.breaker(NOW) is breaker


@pytest.mark.parametrize(
    ("until", "left"), [(None, 0), (NOW - 1, 0), (NOW, 0), (NOW + 1.5, 1.5), (NOW + 60, 60), (NOW + 3600, 0)]
)
def test_what_lies_too_far_ahead_was_written_before_the_clock_was_set_back(until, left):
    state = GuardState(open_until=until, probe_until=until, paused_until=until)
    assert [state.open_for(NOW), state.probed_for(NOW), state.paused_for(NOW)] == [left] * 3


@pytest.mark.parametrize(
    ("at", "purged_at", "void"),
    [
        (NOW, None, False),
        (NOW + 5, None, False),  # clocks of machines differ
        (NOW + 5.1, None, True),
        (NOW - 1, NOW - 2, False),
        (NOW - 1, NOW - 1, True),
        (NOW - 1, NOW + 5, True),
        (NOW - 1, NOW + 5.1, False),
    ],
)
def test_what_is_from_before_a_purge_or_from_a_clock_set_back_is_void(at, purged_at, void):
    assert GuardState(purged_at=purged_at).has_voided(at, NOW) is void
