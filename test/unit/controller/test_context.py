from __future__ import annotations

from typing import TYPE_CHECKING

from main.app import create_app
from main.controller.context import services

if TYPE_CHECKING:
    from main.settings import Settings


def test_each_app_has_services_of_its_own(settings: Settings, unsynced: Settings):
    found = []
    for app in (create_app(settings), create_app(unsynced)):
        with app.app_context():
            found.append(services())
    first, second = found
    assert first.search is not second.search
    assert (len(first.search.head().records), first.greeting.greet(None)) == (3, "Hello, World!")
    assert [status.record.synced_at for status in second.sources.find_all()] == [None] * 3
