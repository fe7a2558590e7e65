import threading
import time
from contextlib import ExitStack

import pytest

from main.resources.guards.places import Places, refuse_place
from main.service.errors import UpstreamClosed, UpstreamTimeout


def test_a_place_handed_over_in_the_last_moment_is_kept():
    places = Places()
    turn = threading.Lock()
    assert not places._leave_line(turn)  # whoever left has just handed it a place
    places._waiting.append(turn)
    assert places._leave_line(turn)


@pytest.mark.parametrize(("closing", "error"), [(True, UpstreamClosed), (False, UpstreamTimeout)])
def test_a_place_handed_over_while_a_waiter_is_sent_away_is_not_lost(monkeypatch, closing, error):
    places, closed, refused = Places(), threading.Event(), []

    def hand_over(deadline, closed):
        refused.append(deadline)
        first.close()
        refuse_place(deadline, closed)

    first = ExitStack()
    first.enter_context(places.held(1, time.monotonic()))
    monkeypatch.setattr("main.resources.guards.places.refuse_place", hand_over)
    if closing:
        closed.set()
    with places.held(1, time.monotonic(), closed):
        assert refused
        with pytest.raises(error), places.held(1, time.monotonic(), closed):
            pytest.fail("there was one place")
    assert places._taken == 0


def test_more_places_than_before_are_used_at_once():
    places = Places()
    with places.held(1, time.monotonic()), places.held(2, time.monotonic()):
        assert places._taken == 2
    assert places._taken == 0
