from datetime import timedelta

import pytest

from main.service.model import Policy, Rate


@pytest.mark.parametrize(("period", "window"), [(1, 1), (60, 60), (0.25, 1), (1.5, 2), (3600, 3600)])
def test_a_window_is_told_in_whole_seconds_that_it_fits_into(period, window):
    assert Policy("default", Rate(10, timedelta(seconds=period))).window == window
