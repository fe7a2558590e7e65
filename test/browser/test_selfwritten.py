"""A task that nobody typed, as an editor meets it: it is on the board, leads to its record, and ends when the shop has mended it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from test.browser.test_board import found
from test.browser.test_forms import WAYS, heading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from test.browser.site import Site, Visit
    from test.e2e.stack import Stack

PRODUCT = "depot:4102"  # the record that `behave depot invalid` spoils
TITLE = "depot: record 4102 is no valid product: price"


@pytest.fixture
def stack(site: Site) -> Iterator[Stack]:
    """The chain, whose depot is well again in the end."""
    yield site.stack
    sync(site.stack, "well")


def sync(stack: Stack, behaviour: str) -> None:
    """One sync of the depot, which behaves like that."""
    stack.behave("depot", behaviour)
    stack.run_command("sync", "--source", "depot")


@pytest.mark.parametrize("way", WAYS)
def test_a_task_that_wrote_itself_leads_to_its_record_and_closes_itself(
    visit: Callable[..., Visit], stack: Stack, way: dict[str, Any]
):
    sync(stack, "invalid")
    window = visit("editor", **way)
    page = window.go("/console/tasks?kind=quarantine")
    found(page, TITLE).get_by_role("link", name=TITLE).click()
    page.wait_for_load_state("load")
    task = page.url
    assert heading(page) == f"{TITLE} open"
    window.picture(f"task-selfwritten-{way['width']}-{'js' if way['scripted'] else 'nojs'}")
    page.get_by_role("link", name=PRODUCT).click()
    page.wait_for_load_state("load")
    quarantine = page.locator(".quarantine").inner_text()
    assert "-1.00" in quarantine
    assert "price" in quarantine

    sync(stack, "well")
    page.goto(task, wait_until="load")
    assert heading(page) == f"{TITLE} done"
    newest = page.locator("tbody tr").first.inner_text()
    assert "aisle" in newest
    assert "open → done" in newest
    assert "What it is about is no longer found." in newest
    page = window.go("/console/tasks?kind=quarantine")
    assert found(page, TITLE).count() == 0
    page = window.go("/console/tasks?kind=quarantine&status=done")
    assert found(page, TITLE).count() == 1
    window.go(f"/console/products/{PRODUCT}")
    assert page.locator("h1").inner_text() != "In quarantine"
    assert page.locator(".quarantine").count() == 0
    assert "done" in found(page, TITLE).inner_text()
