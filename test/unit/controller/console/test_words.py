from __future__ import annotations

import datetime as dt

import pytest

from main.controller.console import words
from main.service.model import Availability, LookState, State, SyncState
from test.fakes import NOW


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (42.9, "42 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_a_span_is_told_in_a_unit_that_says_something(seconds: float, told: str):
    assert words.tell_span(seconds) == told


@pytest.mark.parametrize(("seconds", "told"), [(0, "now"), (-200, "3 min ago"), (40, "in 40 s"), (0.4, "now")])
def test_a_moment_is_told_by_its_distance(seconds: float, told: str):
    assert words.tell_distance(NOW + dt.timedelta(seconds=seconds), NOW) == told


@pytest.mark.parametrize(
    ("milliseconds", "told"), [(0, "0 ms"), (310.4, "310 ms"), (4210, "4.2 s"), (119_940, "119.9 s"), (180_000, "3 min")]
)
def test_a_duration_is_told(milliseconds: float, told: str):
    assert words.tell_duration(milliseconds) == told


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 B"), (900, "900 B"), (1536, "1.5 KiB"), (8 * 1024**2, "8 MiB"), (1024**3, "1 GiB")]
)
def test_a_size_is_told(size: int, told: str):
    assert words.tell_size(size) == told


def test_a_number_has_its_thousands_apart():
    assert words.tell_number(1234567) == "1,234,567"


def test_every_state_has_a_word_of_its_own_and_a_tone():
    for told in (
        [words.tell_state(state) for state in State],
        [words.tell_look(state.value) for state in LookState],
        [words.tell_sync(state) for state in SyncState],
    ):
        assert len({word.text for word in told}) == len(told)
        assert {word.tone for word in told} <= {"good", "wait", "bad", "off"}


def test_availability_is_told_as_people_write_it():
    assert words.tell_availability("InStock") == ("In stock", "good")
    assert words.tell_availability("LimitedAvailability") == ("Limited availability", "good")
    assert words.tell_availability("SoldOut") == ("Sold out", "bad")
    assert words.tell_availability("PreOrder") == ("Pre order", "wait")
    assert all(words.tell_availability(word.value).text for word in Availability)


def test_a_record_has_one_field_a_line_unless_it_is_no_json():
    assert words.spread_record('{"a":[1],"b":"<"}') == '{\n  "a": [\n    1\n  ],\n  "b": "<"\n}'
    for raw in ('{"cut": "of', "a;b;c", ""):
        assert words.spread_record(raw) == raw
