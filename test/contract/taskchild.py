"""A second process on the same tasks: ``python -m test.contract.taskchild BACKEND PLACE ACTION [ARGUMENT]``."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from main.util.logs import configure_logs
from test.contract.taskstores import TASK_STORES
from test.fakes import NOW, make_task

WRITERS, CREATIONS, UPDATES = 4, 10, 5


def say(text: str) -> None:
    print(text, flush=True)


def wait_for_go() -> None:
    say("ready")
    sys.stdin.readline()


def write_many(store: Any, name: str) -> None:
    """In several threads, beside other processes that do the same: make tasks, and raise the count in the first one."""
    wait_for_go()
    with ThreadPoolExecutor(WRITERS) as pool:
        for given in pool.map(lambda writer: write_some(store, f"{name}{writer}"), range(WRITERS)):
            say(" ".join(map(str, given)))


def write_some(store: Any, name: str) -> list[int]:
    given = [store.add(make_task(f"by {name}")).id for _ in range(CREATIONS)]
    for _ in range(UPDATES):
        while not add_one(store, name):
            pass
    return given


def add_one(store: Any, name: str) -> bool:
    """Read the first task, and put it back with a count that is one more, unless somebody was faster."""
    seen = store.get(1)
    return store.replace(seen.changed({"short_description": str(int(seen.short_description) + 1)}, NOW, name), seen.version)


def add_same_cause(store: Any, _: str) -> None:
    """Make a task of a cause that everybody finds at the same moment."""
    wait_for_go()
    say(str(store.add(make_task(cause="stale_source:acme")).id))


def add_forever(store: Any, name: str) -> None:
    """Make tasks and say each one when it is kept, until killed."""
    while True:
        say(str(store.add(make_task(name)).id))


def open_one(_: Any, __: str) -> None:
    """Open a store that may not exist yet, together with others that do the same; what opens is said by the caller."""
    say("open")


ACTIONS = {"write": write_many, "cause": add_same_cause, "forever": add_forever, "open": open_one}

if __name__ == "__main__":
    configure_logs("warning")
    backend, place, action, *rest = sys.argv[1:]
    opened = TASK_STORES[backend].make(place)
    if action == "open":
        wait_for_go()
    opened.open()
    ACTIONS[action](opened, *(rest or [""]))
