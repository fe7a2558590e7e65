from __future__ import annotations

import pytest

from main.service.closed import ClosedDoor
from main.service.errors import Unauthenticated
from main.service.model import NOBODY


def test_nobody_comes_in():
    door = ClosedDoor()
    for ask in (lambda: door.login("ada", "right"), lambda: door.refresh("x"), lambda: door.know("x")):
        with pytest.raises(Unauthenticated):
            ask()
    assert door.logout(NOBODY) is None
    assert door.public_keys() == {"keys": []}
