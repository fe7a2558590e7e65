"""The board under a rush: sixteen clients that make and change tasks over four workers, undisturbed and while workers are killed."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from test.e2e.boardrush import CHANGED, OUTDATED, Rush, killing, let_in
from test.e2e.stack import NGINX, run_stack, wait_for
from test.faults.databases import find_postgres, mongo, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = 16
EVERY = 1.0  # seconds between two deaths


@dataclass(frozen=True)
class Rushed:
    """What came of it: numbers that were told, numbers that are there, changes told by status, the version in the end."""

    told: list[int]
    there: list[int]
    changes: dict[int, int]
    version: int
    killed: int
    seconds: float

    @property
    def doubled(self) -> int:
        """Numbers that two clients were told."""
        return len(self.told) - len(set(self.told))

    @property
    def gaps(self) -> int:
        """Numbers below the last one under which there is no task."""
        return max(self.there) - len(set(self.there))

    @property
    def lost_tasks(self) -> int:
        """Tasks that somebody was told of, and that are not there."""
        return len(set(self.told) - set(self.there))

    @property
    def unknown(self) -> int:
        """Changes without an answer, which may have been made or not."""
        return sum(number for status, number in self.changes.items() if status not in {CHANGED, OUTDATED})

    @property
    def lost_updates(self) -> int:
        """Changes that somebody was told of, and over which another one was made as if they were not there."""
        return max(0, self.changes.get(CHANGED, 0) - (self.version - 1))

    @property
    def invented(self) -> int:
        """Changes that nobody can have asked for."""
        return max(0, self.version - 1 - self.changes.get(CHANGED, 0) - self.unknown)


@contextlib.contextmanager
def stores() -> Iterator[dict[str, dict[str, str]]]:
    """The stores that can be had here, each with what the chain's environment says of it."""
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        found: dict[str, dict[str, str]] = {"SQLite": {}}
        if find_postgres():
            found["PostgreSQL"] = {"AISLE_TASKS__URL": stack.enter_context(postgres(Path(folder))).make_database()}
        else:
            print("   PostgreSQL is left out: its server (initdb, postgres) is not installed here")
        if not os.environ.get("MONGO_URL"):
            print("   MongoDB is left out: MONGO_URL names no server of its protocol")
        else:
            found["MongoDB"] = {"AISLE_TASKS__URL": stack.enter_context(mongo(Path(folder)))()}
        yield found


def measure(folder: Path, environ: dict[str, str], times: int, *, killed: bool) -> Rushed:
    """Give what comes of so many creations and as many changes by each client; each second a worker is killed while another one serves, or none."""
    with run_stack(folder, NGINX, **environ) as stack:
        wait_for("four workers", stack.has_all_workers)
        rush = Rush(stack, let_in(stack), CLIENTS, times)
        rush.empty()
        started = time.perf_counter()
        with killing(stack, EVERY) if killed else contextlib.nullcontext([]) as victims:
            made = rush.create_all()
            changes = rush.raise_all()
        seconds = time.perf_counter() - started
        told = [number for numbers in made for number in numbers]
        return Rushed(told, rush.read_numbers(), dict(changes), rush.read("/tasks/1").json["version"], len(victims), seconds)
