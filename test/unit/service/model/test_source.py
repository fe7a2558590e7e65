from datetime import timedelta

import pytest

from test.fakes import make_source


@pytest.mark.parametrize(("stale_after", "fresh_s"), [(None, 180), (timedelta(seconds=20), 20)])
def test_a_snapshot_stays_fresh_for_three_rounds_or_as_long_as_the_settings_say(stale_after, fresh_s):
    source = make_source(every=timedelta(minutes=1), stale_after=stale_after)
    assert source.fresh_for.total_seconds() == fresh_s
