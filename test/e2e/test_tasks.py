"""The board over the whole chain: sixteen clients at once, four workers, and workers that are killed meanwhile."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

import pytest

from test.e2e.stack import NGINX, NO_NGINX, Answer, Stack, run_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason=NO_NGINX), pytest.mark.timeout(300)]

PASSWORDS = {role: f"violet anvil of an {role} sings" for role in ("editor", "admin")}
CLIENTS, TIMES = 16, 25
TRIES = 60
EVERY = 3.0  # seconds between two deaths: about as long as a worker takes to come back on a small machine


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with run_stack(tmp_path_factory.mktemp("data"), NGINX) as running:
        for role, password in PASSWORDS.items():
            running.run_command("users", "add", f"some-{role}", "--role", role, "--password-stdin", given=password)
        yield running


def enter(stack: Stack, role: str) -> dict[str, str]:
    answer = stack.send_json("/auth", {"username": f"some-{role}", "password": PASSWORDS[role]})
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


@pytest.fixture
def editor(stack: Stack) -> dict[str, str]:
    """The headers of an editor, before an empty board."""
    assert stack.fetch("/tasks", "DELETE", enter(stack, "admin")).status == 200
    return {**enter(stack, "editor"), "Content-Type": "application/json"}


def all_at_once(work: Callable[[int], Any]) -> list[Any]:
    """What each of the clients has to tell, who all begin at one moment."""
    together = threading.Barrier(CLIENTS)

    def begin(number: int) -> Any:
        together.wait(60)
        return work(number)

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(begin, range(CLIENTS)))


def create(stack: Stack, editor: dict[str, str], title: str) -> int:
    """A task's number, asked for under one key until there is an answer."""
    headers = {**editor, "Idempotency-Key": f'"{uuid.uuid4()}"'}
    for _ in range(TRIES):
        answer = ask(stack, "/tasks", "POST", headers, f'{{"title": "{title}"}}')
        if answer is not None and answer.status == 201:
            number: int = answer.json["id"]
            return number
        assert answer is None or answer.status in {409, 502, 503}, answer.body
        time.sleep(0.2)
    raise AssertionError(f"{title} was never made")


def ask(stack: Stack, path: str, method: str, headers: dict[str, str], body: str | None = None) -> Answer | None:
    """The answer, or None where the connection broke."""
    try:
        return stack.fetch(path, method, headers, None if body is None else body.encode())
    except (OSError, HTTPException):
        return None


def read_all(stack: Stack, editor: dict[str, str]) -> list[int]:
    found, page = [], 1
    while True:
        answer = stack.fetch(f"/tasks?per_page=100&page={page}", headers=editor).json
        found += [task["id"] for task in answer["data"]]
        if page >= answer["pages"]:
            return found
        page += 1


def raise_version(stack: Stack, editor: dict[str, str], client: int) -> Counter[int]:
    """The statuses of one client's changes, each over what it has just read."""
    told: Counter[int] = Counter()
    for turn in range(TIMES):
        seen = stack.fetch("/tasks/1", headers=editor)
        body = f'{{"short_description": "{client}.{turn}"}}'
        answer = ask(stack, "/tasks/1", "PATCH", {**editor, "If-Match": seen.headers["etag"]}, body)
        told[0 if answer is None else answer.status] += 1
    return told


def test_numbers_have_no_gap_and_no_change_is_lost(stack: Stack, editor: dict[str, str]) -> None:
    made = all_at_once(lambda client: [create(stack, editor, f"{client}.{turn}") for turn in range(TIMES)])
    assert sorted(number for numbers in made for number in numbers) == list(range(1, CLIENTS * TIMES + 1))
    assert all(numbers == sorted(numbers) for numbers in made)
    told = sum(all_at_once(lambda client: raise_version(stack, editor, client)), Counter[int]())
    assert set(told) == {200, 412}
    last = stack.fetch("/tasks/1", headers=editor).json
    assert last["version"] == 1 + told[200]
    assert [step["version"] for step in last["history"]] == list(range(2, last["version"] + 1))


def test_what_was_answered_for_survives_the_death_of_workers(stack: Stack, editor: dict[str, str]) -> None:
    over = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        while not over.wait(EVERY):
            for victim in stack.find_workers()[:1]:
                killed.append(victim.pid)
                victim.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        first = create(stack, editor, "the first")
        made = all_at_once(lambda client: [create(stack, editor, f"{client}.{turn}") for turn in range(TIMES)])
        told = sum(all_at_once(lambda client: raise_version(stack, editor, client)), Counter[int]())
    finally:
        over.set()
        killer.join()
    numbers = [first, *(number for numbers in made for number in numbers)]
    there = read_all(stack, editor)
    assert killed
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(there)
    # A worker that dies between keeping a task and its answer may have it made twice; nothing else can.
    assert len(there) - len(numbers) <= len(killed) * 4
    assert set(told) <= {0, 200, 412, 502, 503}
    unknown = sum(number for status, number in told.items() if status not in {200, 412})
    assert told[200] <= stack.fetch("/tasks/1", headers=editor).json["version"] - 1 <= told[200] + unknown
