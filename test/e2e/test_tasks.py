"""The board over the whole chain: sixteen clients at once, four workers, and workers that are killed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from test.e2e.boardrush import CHANGED, NOT_NOW, OUTDATED, Rush, killing, let_in
from test.e2e.stack import NGINX, NO_NGINX, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason=NO_NGINX), pytest.mark.timeout(300)]

CLIENTS, TIMES = 16, 25
EVERY = 2.0  # seconds between two deaths: a fast machine is done soon, and a small one takes as long for a new worker


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rush]:
    with run_stack(tmp_path_factory.mktemp("data"), NGINX) as stack:
        yield Rush(stack, let_in(stack), CLIENTS, TIMES)


@pytest.fixture
def rush(clients: Rush) -> Rush:
    """The clients before an empty board."""
    clients.empty()
    return clients


def test_numbers_have_no_gap_and_no_change_is_lost(rush: Rush) -> None:
    made = rush.create_all()
    assert sorted(number for numbers in made for number in numbers) == list(range(1, CLIENTS * TIMES + 1))
    assert all(numbers == sorted(numbers) for numbers in made)
    told = rush.raise_all()
    assert set(told) == {CHANGED, OUTDATED}
    last = rush.read("/tasks/1").json
    assert last["version"] == 1 + told[CHANGED]
    assert [step["version"] for step in last["history"]] == list(range(2, last["version"] + 1))


def test_what_was_answered_for_survives_the_death_of_workers(rush: Rush) -> None:
    with killing(rush.stack, EVERY) as killed:
        first = rush.create("the first")
        made = rush.create_all()
        told = rush.raise_all()
    numbers = [first, *(number for numbers in made for number in numbers)]
    there = rush.read_numbers()
    assert killed
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(there)
    # A worker that dies between keeping a task and its answer may have it made twice; nothing else can.
    assert len(there) - len(numbers) <= len(killed) * 4
    assert set(told) <= {CHANGED, OUTDATED, *NOT_NOW}
    unknown = sum(number for status, number in told.items() if status not in {CHANGED, OUTDATED})
    assert told[CHANGED] <= rush.read("/tasks/1").json["version"] - 1 <= told[CHANGED] + unknown
