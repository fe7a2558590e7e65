import threading
import time
from datetime import timedelta

import pytest

from main.resources.upstream.throttle import Throttle
from main.service.errors import UpstreamTimeout
from main.service.model import Rate


def make_throttle(calls, period):
    return Throttle(Rate(calls, period), threading.Event())


def test_calls_within_the_rate_begin_at_once():
    throttle = make_throttle(3, timedelta(hours=1))
    for _ in range(3):
        throttle.wait(time.monotonic() + 1)


def test_the_next_one_waits_for_its_turn():
    throttle = make_throttle(1, timedelta(milliseconds=200))
    began = time.monotonic()
    throttle.wait(began + 5)
    throttle.wait(began + 5)
    assert time.monotonic() - began >= 0.2


def test_a_turn_after_the_deadline_is_refused_and_costs_no_turn():
    throttle = make_throttle(1, timedelta(milliseconds=300))
    throttle.wait(time.monotonic() + 1)
    for _ in range(3):
        with pytest.raises(UpstreamTimeout, match="No call was free"):
            throttle.wait(time.monotonic() + 0.01)
    throttle.wait(time.monotonic() + 1)
