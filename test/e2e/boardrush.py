"""Many clients of the board at once, over the whole chain, and workers that are killed meanwhile: for tests and for the bench."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from test.e2e.stack import Answer, Stack

TRIES = 60
PAUSE = 0.2
NO_ANSWER = 0  # in the place of a status
NOT_NOW = {NO_ANSWER, 409, 502, 503}  # a worker died over it, or the first try of a key goes on
CHANGED, OUTDATED = 200, 412


@dataclass(frozen=True)
class Keys:
    """What a machine of each role sends; unlike a login it outlasts the longest rush."""

    editor: dict[str, str]
    admin: dict[str, str]


def let_in(stack: Stack) -> Keys:
    """Give the chain an editor and an admin."""
    made = (stack.run_command("keys", "issue", f"some-{role}", "--role", role).strip() for role in ("editor", "admin"))
    return Keys(*({"X-API-Key": key, "Content-Type": "application/json"} for key in made))


class Rush:
    """So many clients, each of whom does everything so many times; all begin at one moment."""

    def __init__(self, stack: Stack, keys: Keys, clients: int, times: int) -> None:
        self.stack, self.editor, self.admin, self.clients, self.times = stack, keys.editor, keys.admin, clients, times

    def empty(self) -> None:
        """Drop all tasks there are; numbers begin anew."""
        assert self.stack.fetch("/tasks", "DELETE", self.admin).status == 200

    def create_all(self) -> list[list[int]]:
        """The numbers that each client was told for its tasks."""
        return self._all(lambda client: [self.create(f"{client}.{turn}") for turn in range(self.times)])

    def raise_all(self) -> Counter[int]:
        """The statuses of all changes of task 1, each over what its client has just read."""
        return sum(self._all(self._raise_version), Counter[int]())

    def create(self, title: str) -> int:
        """A task's number, asked for under one key until there is an answer."""
        headers = {**self.editor, "Idempotency-Key": f'"{uuid.uuid4()}"'}
        number: int = self._insist("/tasks", "POST", headers, f'{{"title": "{title}"}}', wanted=201).json["id"]
        return number

    def read(self, path: str) -> Answer:
        """What is there, asked for until there is an answer."""
        return self._insist(path, "GET", self.editor, wanted=200)

    def read_numbers(self) -> list[int]:
        """The numbers of all tasks, in their order."""
        found, page = [], 1
        while True:
            answer = self.read(f"/tasks?per_page=100&page={page}").json
            found += [task["id"] for task in answer["data"]]
            if page >= answer["pages"]:
                return found
            page += 1

    def _raise_version(self, client: int) -> Counter[int]:
        told: Counter[int] = Counter()
        for turn in range(self.times):
            seen = self.read("/tasks/1").headers["etag"]
            body = f'{{"short_description": "{client}.{turn}"}}'
            told[self._ask("/tasks/1", "PATCH", {**self.editor, "If-Match": seen}, body)[0]] += 1
        return told

    def _insist(self, path: str, method: str, headers: dict[str, str], body: str | None = None, *, wanted: int) -> Answer:
        for _ in range(TRIES):
            status, answer = self._ask(path, method, headers, body)
            if answer is not None and status == wanted:
                return answer
            assert status in NOT_NOW, (status, answer)
            time.sleep(PAUSE)
        raise AssertionError(f"{method} {path} had no answer")

    def _ask(self, path: str, method: str, headers: dict[str, str], body: str | None) -> tuple[int, Answer | None]:
        """The status and the answer, or none where the connection broke."""
        try:
            answer = self.stack.fetch(path, method, headers, None if body is None else body.encode())
        except (OSError, HTTPException):
            return NO_ANSWER, None
        return answer.status, answer

    def _all(self, work: Callable[[int], Any]) -> list[Any]:
        together = threading.Barrier(self.clients)

        def begin(number: int) -> Any:
            together.wait(60)
            return work(number)

        with ThreadPoolExecutor(self.clients) as clients:
            return list(clients.map(begin, range(self.clients)))


@contextmanager
def killing(stack: Stack, every: float) -> Iterator[list[int]]:
    """Kills a worker that serves each so many seconds, if another one serves as well, until the block ends; the pids so far.

    On a busy machine a worker takes longer to come back than four of them last, and a board that nobody serves proves nothing.
    """
    over, killed = threading.Event(), list[int]()

    def kill() -> None:
        while not over.wait(every):
            for victim in stack.find_ready_workers()[1:2]:
                killed.append(victim.pid)
                victim.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()
