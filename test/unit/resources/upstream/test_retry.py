"""One more try: only where it helps, only once, after a pause that is anything up to the cap."""

import math
import threading
import time
from dataclasses import dataclass

import pytest
import requests

from main.resources.upstream.retry import LONGEST_PAUSE, OneMoreTry
from main.service.errors import (
    NoAccessToken,
    UpstreamClosed,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)

FAR = 60.0


@dataclass
class Call:
    """A call that ends as it is told, try by try."""

    errors: list
    repeatable: bool = True
    deadline: float | None = None
    tries: int = 0

    def __post_init__(self):
        self.deadline = self.deadline or time.monotonic() + FAR

    def make(self, _):
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


class Budget:
    """A guard that allows so many more tries."""

    def __init__(self, tries=1000):
        self.left = tries
        self.asked = 0

    def may_retry(self):
        self.asked += 1
        self.left -= 1
        return self.left >= 0


def broken(cause=None):
    error = UpstreamUnreachable("There is no connection.")
    error.__cause__ = cause or requests.ConnectionError("aborted")
    return error


def tries(guard=None, closed=None, uniform=lambda *_: 0.0):
    return OneMoreTry(guard or Budget(), closed or threading.Event(), uniform)


@pytest.mark.parametrize(
    "error", [broken(), NoAccessToken("", 502), *[UpstreamRefused("", status) for status in (502, 503, 504)]]
)
def test_what_may_go_well_a_moment_later_is_tried_again(error):
    call = Call([error])
    assert tries().run(call.make, call) == "done"
    assert call.tries == 2


@pytest.mark.parametrize(
    "error",
    [
        *[UpstreamRefused("", status) for status in (400, 401, 404, 500, 501)],
        *[NoAccessToken("", status) for status in (200, 400, 401, 404)],
        UpstreamThrottled("", 503, 3.0),
        UpstreamThrottled("", 429, None),
        UpstreamTimeout(""),
        UpstreamUnreachable("The connection broke off."),
        broken(requests.exceptions.SSLError()),
        broken(requests.ConnectionError("NameResolutionError(...)")),
        KeyError("a mistake of ours"),
    ],
    ids=repr,
)
def test_what_will_not_change_is_not(error):
    call, budget = Call([error]), Budget()
    with pytest.raises(type(error)) as caught:
        tries(budget).run(call.make, call)
    assert caught.value is error
    assert (call.tries, budget.asked) == (1, 0)


def test_there_is_no_third_try_and_the_last_error_counts():
    call, budget = Call([broken(), UpstreamRefused("", 502), broken()]), Budget()
    with pytest.raises(UpstreamRefused):
        tries(budget).run(call.make, call)
    assert (call.tries, budget.asked) == (2, 1)


def test_a_call_that_changes_something_is_not_made_twice():
    call = Call([broken()], repeatable=False)
    with pytest.raises(UpstreamUnreachable):
        tries().run(call.make, call)
    assert call.tries == 1


def test_a_budget_that_is_used_up_ends_it():
    call = Call([broken()])
    with pytest.raises(UpstreamUnreachable):
        tries(Budget(0)).run(call.make, call)
    assert call.tries == 1


def test_after_the_deadline_nothing_is_tried():
    call = Call([broken()], deadline=time.monotonic() - 1)
    with pytest.raises(UpstreamUnreachable):
        tries().run(call.make, call)
    assert call.tries == 1


def test_a_call_that_was_never_begun_is_not_tried_again():
    call = Call([broken()])
    call.deadline = None
    with pytest.raises(UpstreamUnreachable):
        tries().run(call.make, call)


def test_the_pause_is_never_longer_than_the_time_left():
    asked = []
    call = Call([broken()], deadline=time.monotonic() + 0.15)
    tries(uniform=lambda least, most: asked.append((least, most)) or 0.0).run(call.make, call)
    ((least, most),) = asked
    assert least == 0
    assert 0 < most <= 0.15 < LONGEST_PAUSE


def test_closing_the_source_ends_the_pause():
    closed = threading.Event()
    closed.set()
    call, began = Call([broken()]), time.monotonic()
    with pytest.raises(UpstreamClosed, match="was closed"):
        tries(closed=closed, uniform=lambda *_: 30.0).run(call.make, call)
    assert call.tries == 1
    assert time.monotonic() - began < 5


class Pauses:
    """A closing that never comes, and remembers how long it was waited for."""

    def __init__(self):
        self.seconds = []

    def wait(self, seconds):
        self.seconds.append(seconds)
        return False


def test_pauses_are_spread_evenly_up_to_the_cap():
    pauses = Pauses()
    one_more = OneMoreTry(Budget(), pauses)
    for _ in range(1000):
        call = Call([broken()])
        one_more.run(call.make, call)
    spread = sorted(second / LONGEST_PAUSE for second in pauses.seconds)
    size = len(spread)
    # Kolmogorov and Smirnov's distance from the uniform distribution, and its asymptotic probability.
    distance = max(max((rank + 1) / size - value, value - rank / size) for rank, value in enumerate(spread))
    scaled = distance * math.sqrt(size)
    probability = 2 * sum((-1) ** (step - 1) * math.exp(-2 * (step * scaled) ** 2) for step in range(1, 101))
    assert size == 1000
    assert probability > 0.0001  # one run in ten thousand of a uniform one is as uneven
