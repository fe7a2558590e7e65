from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from test.unit.controller.console.pages import Pages

if TYPE_CHECKING:
    from main.settings import Settings


@pytest.fixture
def pages(settings: Settings) -> Pages:
    """The console over a catalogue in memory, closed to who is not logged in."""
    return Pages(settings)
