"""Turns among all who write, on servers whose own writes are not one step.

MongoDB finds a document and changes it as one step, so nothing is needed there. FerretDB 1 finds first and writes then: of two
who change a task at once both would be told that they did. But of two who insert the same id one is refused, and on that a turn
can be built: the document is there while somebody has the turn. One whose holder was killed is over two seconds after another
process of the machine has seen that, and anywhere after a while.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pymongo.errors import DuplicateKeyError

from main.service.errors import StoreDown
from main.util.ids import new_id
from main.util.processes import has_ended, own_mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo import MongoClient
    from pymongo.collection import Collection

LONGEST = 15.0  # seconds: far longer than any write that has a turn may take
# Seconds for a write that a killed process had sent, and that the server has not ended yet.
SETTLING = 2.0
_PATIENCE = 40.0
_NAP = (0.002, 0.02)
_TURN = "turn"


def needs_turns(client: MongoClient[dict[str, Any]]) -> bool:
    """Tell whether a server's writes are not one step; asks it."""
    return "ferretdbVersion" in client.admin.command("buildInfo")


class Turns:
    """The only turn there is, among the threads of this process first, then among all processes."""

    def __init__(self, *, longest: float = LONGEST, settling: float = SETTLING, patience: float = _PATIENCE) -> None:
        self._longest = longest
        self._settling = settling
        self._patience = patience
        self._here = threading.Lock()

    @contextmanager
    def held(self, turns: Collection[dict[str, Any]]) -> Iterator[None]:
        """Hold the turn; one that is older than ``longest``, or whose process ended ``settling`` ago, is taken away from its holder.

        Raises:
            StoreDown: others kept it for longer than ``patience``.
        """
        owner, until = new_id(), time.monotonic() + self._patience
        if not self._here.acquire(timeout=self._patience):
            raise StoreDown
        try:
            self._await(turns, owner, until)
            yield
        finally:
            turns.delete_one({"_id": _TURN, "owner": owner})
            self._here.release()

    def _await(self, turns: Collection[dict[str, Any]], owner: str, until: float) -> None:
        ended: dict[str, float] = {}  # owners whose processes are gone, and when that was seen
        while not _take(turns, owner):
            held = turns.find_one({"_id": _TURN})
            if held is not None and self._is_over(held, ended):
                turns.delete_one({"_id": _TURN, "owner": held["owner"]})
                continue
            if time.monotonic() >= until:
                raise StoreDown
            time.sleep(random.uniform(*_NAP))  # noqa: S311 - so that those who wait do not all come at once

    def _is_over(self, held: dict[str, Any], ended: dict[str, float]) -> bool:
        if time.time() - held["at"] > self._longest:
            return True
        if not has_ended(held.get("process", "")):
            return False
        return time.monotonic() - ended.setdefault(held["owner"], time.monotonic()) > self._settling


def _take(turns: Collection[dict[str, Any]], owner: str) -> bool:
    try:
        turns.insert_one({"_id": _TURN, "owner": owner, "process": own_mark(), "at": time.time()})
    except DuplicateKeyError:
        return False
    return True
