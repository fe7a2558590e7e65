from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.resources.upstream.rate import describe_rate, next_turn, take_turn
from main.service.model import Rate

NOW = 1_770_000_000.0


def begin_calls(rate, waits):
    """Begin a call after each wait as soon as the rate allows it, and give when each began."""
    log, now, turns = (), NOW, []
    for wait in waits:
        now += wait
        turns.append(next_turn(log, rate, now))
        log = take_turn(log, rate, turns[-1], now)
    return log, turns


def test_calls_within_the_rate_begin_at_once_and_the_next_one_waits():
    _, turns = begin_calls(Rate(3, timedelta(seconds=10)), [0, 1, 0, 0, 0])
    assert [turn - NOW for turn in turns] == [0, 1, 1, 10, 11]


def test_without_a_rate_a_call_begins_at_once():
    assert next_turn(((NOW, 5),), None, NOW) == NOW


@given(
    calls=st.sampled_from([1, 2, 10, 64, 65, 100, 1000]),
    waits=st.lists(st.sampled_from([0, 0, 0, 0.001, 0.01, 0.3, 1, 2.5]), max_size=300),
)
def test_no_more_calls_than_the_rate_allows_begin_in_any_period_and_the_log_stays_small(calls, waits):
    period = 2.0
    log, turns = begin_calls(Rate(calls, timedelta(seconds=period)), waits)
    assert turns == sorted(turns)
    for place in range(calls, len(turns)):
        assert turns[place] - turns[place - calls] >= period - 1e-6
    # calls that wait for their turn stand in it too, and only so many may
    assert len(log) <= 65 + len([turn for turn in turns if turn > NOW + sum(waits)])


def test_a_large_rate_loses_no_more_than_a_64th_of_its_period():
    rate = Rate(640, timedelta(seconds=64))
    log = ()
    for number in range(640):
        log = take_turn(log, rate, NOW + number / 1000, NOW + number / 1000)
    assert len(log) <= 2
    assert NOW + 64 <= next_turn(log, rate, NOW + 1) <= NOW + 65


@pytest.mark.parametrize(("back", "held"), [(10, True), (3600, False)])
def test_a_clock_set_back_far_does_not_hold_calls_for_long(back, held):
    rate = Rate(2, timedelta(seconds=1))
    log, _ = begin_calls(rate, [0, 0])
    assert (next_turn(log, rate, NOW - back) > NOW - back) is held
    assert len(take_turn(log, rate, NOW - 3600, NOW - 3600)) == 1


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Rate(10, timedelta(seconds=1)), "10/s"),
        (Rate(100, timedelta(minutes=1)), "100/m"),
        (Rate(7, timedelta(hours=1)), "7/h"),
        (Rate(7, timedelta(days=1)), "7/d"),
        (Rate(7, timedelta(milliseconds=300)), "7/0.3s"),
        (Rate(7, timedelta(seconds=90)), "7/90s"),
    ],
)
def test_a_rate_is_written_as_in_the_settings(rate, text):
    assert describe_rate(rate) == text
