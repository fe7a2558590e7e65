import threading
import time

import pytest

from main.resources.guards.places import Places
from main.service.errors import UpstreamTimeout


def test_a_place_handed_over_in_the_last_moment_is_kept():
    places = Places()
    turn = threading.Lock()
    places._give_up(turn)  # it is in no line any more: whoever left has just handed it a place
    places._waiting.append(turn)
    with pytest.raises(UpstreamTimeout):
        places._give_up(turn)


def test_more_places_than_before_are_used_at_once():
    places = Places()
    with places.held(1, time.monotonic()), places.held(2, time.monotonic()):
        assert places._taken == 2
    assert places._taken == 0
