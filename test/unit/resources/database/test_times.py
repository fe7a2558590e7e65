import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from main.resources.database.times import from_ms, to_ms

MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001 - bounds are naive


@given(MOMENTS)
def test_a_time_comes_back_to_the_millisecond(moment):
    back = from_ms(to_ms(moment))
    assert abs(back - moment) < dt.timedelta(milliseconds=1)
    assert to_ms(back) == to_ms(moment)


def test_no_time_stays_no_time():
    assert (to_ms(None), from_ms(None)) == (None, None)
