"""A second process on the same accounts: ``python -m test.contract.accountchild BACKEND FOLDER ACTION [ARGUMENT]``."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

from main.service.errors import NameTaken
from main.service.model import Role
from main.util.logs import configure_logs
from test.contract.accountstores import ACCOUNT_STORES

NOW = dt.datetime.now(dt.UTC)


def say(text: str) -> None:
    print(text, flush=True)


def wait_for_go() -> None:
    say("ready")
    sys.stdin.readline()


def add_many(store: Any, name: str) -> None:
    """Add accounts of names of our own, beside others that do the same, and one that everybody wants."""
    wait_for_go()
    for number in range(10):
        store.add(f"{name}{number}", "hash", Role.READER, NOW)
    try:
        store.add("everybodys", name, Role.ADMIN, NOW)
    except NameTaken:
        say("taken")
    else:
        say("won")


def rotate(store: Any, name: str) -> None:
    """Use a refresh token that others use at the same moment."""
    wait_for_go()
    say(str(store.rotate("family", "first", name, NOW)))


def add_forever(store: Any, name: str) -> None:
    """Add accounts and say each one when it is kept, until killed."""
    number = 0
    while True:
        store.add(f"{name}-{number}", "hash", Role.READER, NOW)
        say(f"{name}-{number}")
        number += 1


def watch(store: Any, _: str) -> None:
    """Look until the first account is switched off, and say so."""
    store.revocations()
    say("ready")
    while store.revocations().generations[1] is not None:
        pass
    say("off")


ACTIONS = {"add": add_many, "rotate": rotate, "forever": add_forever, "watch": watch}

if __name__ == "__main__":
    configure_logs("warning")
    backend, folder, action, *rest = sys.argv[1:]
    opened = ACCOUNT_STORES[backend].make(Path(folder))
    opened.open()
    ACTIONS[action](opened, *(rest or [""]))
