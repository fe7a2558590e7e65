"""Times: aware, in UTC, and written as RFC 3339."""

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.util.clock import SystemClock, isoformat, parse_iso, read_epoch

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
moments = st.datetimes(timezones=zones).filter(lambda moment: 1 < moment.year < 9999)


def test_the_systems_time_is_aware_and_in_utc():
    before, now, after = dt.datetime.now(dt.UTC), SystemClock().now(), dt.datetime.now(dt.UTC)
    assert now.tzinfo is dt.UTC
    assert before <= now <= after


def test_a_timestamp_counts_seconds_since_1970_in_utc():
    before, found, after = time.time(), SystemClock().timestamp(), time.time()
    assert before <= found <= after


def test_the_monotonic_time_never_runs_backwards():
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)


@given(moments)
def test_a_time_written_and_read_is_the_same_to_the_millisecond(moment):
    written = isoformat(moment)
    assert written.endswith("Z")
    assert dt.timedelta(0) <= moment - parse_iso(written) < dt.timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-21T09:30:00", "2026-11-21T09:30:00.000Z"),
        ("2026-11-21T09:30:00Z", "2026-11-21T09:30:00.000Z"),
        ("2026-11-21T11:30:00.123456+02:00", "2026-11-21T09:30:00.123Z"),
        ("2026-11-21", "2026-11-21T00:00:00.000Z"),
    ],
)
def test_a_time_without_an_offset_is_taken_as_utc(text, written):
    assert isoformat(parse_iso(text)) == written


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "21.11.2026", "1763700000000"])
def test_what_is_not_an_iso_time_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_iso(text)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_763_700_000, "2025-11-21T04:40:00.000Z"),
        (1_763_700_000_123, "2025-11-21T04:40:00.123Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
    ],
)
def test_a_unix_time_is_read_in_seconds_or_milliseconds(number, written):
    assert isoformat(read_epoch(number)) == written


@pytest.mark.parametrize("number", [10**16, -(10**16), 10**300, int("1" * 400), -int("1" * 400)])
def test_a_number_that_is_no_time_gives_none(number):
    assert read_epoch(number) is None
