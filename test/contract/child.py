"""A second process on the same catalogue: ``python -m test.contract.child BACKEND FOLDER ACTION [ARGUMENT]``."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from main.controller.documents import dump_product
from main.service.model import Query
from main.util.logs import configure_logs
from test.contract.backends import BACKENDS
from test.fakes import NOW, digest_of, make_product, put_snapshot

SNAPSHOT = 60


def say(text: str) -> None:
    print(text, flush=True)


def wait_to_be_killed() -> None:
    time.sleep(600)


def snapshot(number: int, source: str = "acme") -> list[Any]:
    """Products that all carry the snapshot's number; every other one keeps its id, the rest come and go."""
    ids = [f"{number}-{place}" if place % 2 else str(place) for place in range(SNAPSHOT)]
    return [make_product(source_id, source, name=f"Round {number}", brand=f"Brand {number}") for source_id in ids]


def open_both(reader: Any, writer: Any, _: str) -> None:
    """Open a catalogue that may not exist yet, together with others that do the same."""
    reader.open()
    writer.open()
    say(f"open {reader.find(Query())[1].total}")


def stage(_: Any, writer: Any, source: str) -> None:
    """Take the lease, stage a snapshot and stay in the middle of the crawl."""
    writer.acquire(source, "child", NOW + timedelta(seconds=30), NOW)
    with writer.stage(source) as staging:
        for product in [make_product(n, source) for n in range(3000)]:
            document = dump_product(product)
            staging.add(product, document, digest_of(document))
        say("staged")
        wait_to_be_killed()


def swap(_: Any, writer: Any, first: str) -> None:
    """Swap one snapshot for the next until killed; each is said when it is committed."""
    number = int(first)
    while True:
        done = put_snapshot(writer, "acme", snapshot(number), owner="child")
        say(f"{number} {done.version}")
        number += 1


def commit(_: Any, writer: Any, source: str) -> None:
    """Commit twenty snapshots of one source beside others that do the same."""
    for number in range(20):
        put_snapshot(writer, source, snapshot(number, source), owner=source)
    say("done")


ACTIONS = {"open": open_both, "stage": stage, "swap": swap, "commit": commit}

if __name__ == "__main__":
    configure_logs("warning")
    backend, folder, action, *rest = sys.argv[1:]
    ACTIONS[action](*BACKENDS[backend].make(Path(folder)), *(rest or [""]))
