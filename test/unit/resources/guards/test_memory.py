"""What every book must do is in test/contract/test_guardbook.py; this is what one in memory does beside."""

from main.resources.guards.memory import MemoryGuardBook
from main.service.model import GuardState


def test_two_books_know_nothing_of_each_other():
    one, two = MemoryGuardBook(), MemoryGuardBook()
    one.change("acme", lambda _: (GuardState(calls=3), None))
    assert (one.read("acme").calls, two.read("acme").calls) == (3, 0)
