"""A second process on the same guard book: ``python -m test.contract.guardchild BOOK FOLDER ACTION [ARGUMENT]``."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from main.resources.upstream.guard import Guard
from main.service.errors import Unavailable, UpstreamError
from main.util.logs import configure_logs
from test.contract.books import BOOKS
from test.contract.child import say, wait_to_be_killed
from test.fakes import make_source


def count(book: Any, times: str) -> None:
    """Count calls, one change each."""
    for _ in range(int(times)):
        book.change("acme", lambda state: (replace(state, calls=state.calls + 1), None))
    share_all(book)


def note(book: Any, times: str) -> None:
    """Count calls by notes."""
    for _ in range(int(times)):
        book.note("acme", lambda state: (replace(state, calls=state.calls + 1), None))
        time.sleep(0.002)
    share_all(book)


def share_all(book: Any) -> None:
    """Wait until everything is shared: where it is not, a person's switch is refused; where it is, so are the steps before it."""
    while True:
        try:
            book.change("acme", lambda state: (replace(state, enabled=not state.enabled), None))
        except Unavailable:
            time.sleep(0.05)  # on a busy machine the lock was not to be had in time, and is only glanced at for a while
        else:
            break
    say("done")


def change(book: Any, _: str) -> None:
    """Begin a change and never come back from it."""

    def step(state: Any) -> Any:
        say("inside")
        wait_to_be_killed()
        return state, None

    book.change("acme", step)


def hold(book: Any, limit: str) -> None:
    """Take a place and keep it."""
    with book.slot("acme", int(limit), time.monotonic() + 30):
        say("inside")
        wait_to_be_killed()


def crowd(book: Any, limit: str) -> None:
    """Come and go, and say how many were seen inside at most."""
    most = 0

    def move(by: int) -> int:
        return book.change("crowd", lambda state: (replace(state, calls=state.calls + by), state.calls + by))

    for _ in range(30):
        with book.slot("acme", int(limit), time.monotonic() + 30):
            most = max(most, move(1))
            time.sleep(0.002)
            move(-1)
    say(str(most))


def call(book: Any, seconds: str) -> None:
    """Make a call that hangs, if the guard lets it through; it has so many seconds."""
    try:
        with Guard(make_source(), book).admitted(time.monotonic() + int(seconds)):
            say("calling")
            wait_to_be_killed()
    except UpstreamError as error:
        say(type(error).__name__)


ACTIONS = {"count": count, "note": note, "change": change, "hold": hold, "crowd": crowd, "call": call}

if __name__ == "__main__":
    configure_logs("error")
    name, folder, action, *rest = sys.argv[1:]
    ACTIONS[action](BOOKS[name].make(Path(folder)), *(rest or [""]))
