"""The task board in a real browser: made, changed, closed, dropped and reset by forms, with and without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from test.browser.bazaar import ATTACKS
from test.browser.test_forms import WAYS, heading

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from test.browser.site import Visit


def make_task(page: Page, title: str, **given: str) -> None:
    new = page.locator("section", has=page.get_by_role("heading", name="New task"))
    new.get_by_label("Title").fill(title)
    for label, value in given.items():
        new.get_by_label(label.replace("_", " ").capitalize()).fill(value)
    new.get_by_role("button", name="Create task").click()
    page.wait_for_load_state("load")


def found(page: Page, title: str) -> Any:
    return page.locator(".task", has=page.get_by_role("link", name=title, exact=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_task_is_made_changed_and_closed(visit: Callable[..., Visit], way: dict[str, Any]):
    title = f"Ask for a picture {way}"
    window = visit("editor", **way)
    page = window.go("/console/products/bazaar:rug-1")
    page.get_by_role("link", name="New task").click()
    page.wait_for_load_state("load")
    make_task(page, title, short_description="two\nlines", assignee="ada")
    assert "The task is made." in page.locator(".done").inner_text()
    assert "bazaar:rug-1" in found(page, title).inner_text()
    found(page, title).get_by_role("link", name=title).click()
    page.wait_for_load_state("load")
    assert heading(page).startswith(title)
    page.get_by_label("Status").select_option("doing")
    page.get_by_label("Priority").select_option("1")
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url("**?done=saved")
    assert "open → doing" in page.locator("table").inner_text()
    window.go("/console/products/bazaar:rug-1")
    assert "under way" in found(page, title).inner_text()
    window.go("/console/tasks")
    found(page, title).get_by_role("button", name="Done").click()
    page.wait_for_load_state("load")
    assert "The task is done." in page.locator(".done").inner_text()
    assert found(page, title).count() == 0
    window.go("/console/tasks?status=done")
    assert found(page, title).count() == 1
    assert window.complaints == [text for text in window.complaints if "ERR_" in text]


@pytest.mark.parametrize("way", WAYS)
def test_what_was_wrong_is_told_at_its_box_and_what_was_typed_stays(visit: Callable[..., Visit], way: dict[str, Any]):
    page = visit("editor", **way).go("/console/tasks")
    make_task(page, "a\u0007bell", short_description="kept")
    box = page.locator("#title")
    assert "none a control character" in page.locator(f"#{box.get_attribute('aria-describedby')}").inner_text()
    assert page.locator("#short_description").input_value() == "kept"


@pytest.mark.parametrize("way", WAYS)
def test_a_change_made_meanwhile_is_not_lost(visit: Callable[..., Visit], way: dict[str, Any]):
    title = f"Wanted twice {way}"
    mine, theirs = visit("editor", **way), visit("admin", **way)
    make_task(mine.go("/console/tasks"), title)
    found(mine.page, title).get_by_role("link", name=title).click()
    mine.page.wait_for_load_state("load")
    path = mine.page.url.removeprefix(mine.site.url)
    theirs.go(path).get_by_label("Assignee").fill("them")
    theirs.page.get_by_role("button", name="Save changes").click()
    theirs.page.wait_for_url("**?done=saved")
    mine.page.get_by_label("Assignee").fill("me")
    mine.page.get_by_role("button", name="Save changes").click()
    mine.page.wait_for_load_state("load")
    assert "Somebody has changed this task meanwhile" in mine.page.get_by_role("alert").inner_text()
    assert mine.page.get_by_label("Assignee").input_value() == "me"
    assert "them" in mine.page.locator("dl.facts").inner_text()
    mine.page.get_by_role("button", name="Save changes").click()
    mine.page.wait_for_url("**?done=saved")
    assert "them → me" in mine.page.locator("table").inner_text()
    mine.page.get_by_role("button", name="Delete task").click()
    mine.page.wait_for_url("**?done=deleted")
    assert found(mine.page, title).count() == 0


@pytest.mark.parametrize("way", WAYS)
def test_tasks_are_filtered_and_dropped_by_title(visit: Callable[..., Visit], way: dict[str, Any]):
    title = f"Twice {way}"
    page = visit("editor", **way).go("/console/tasks")
    make_task(page, title, assignee="ben")
    make_task(page, title)
    page.get_by_role("searchbox").fill(title)
    page.get_by_text("Filters", exact=True).click()
    page.locator("#by-assignee").fill("ben")
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_load_state("load")
    assert "1 task," in page.locator(".result").inner_text()
    page.locator("#drop-title").fill(title)
    page.get_by_role("button", name="Delete by title").click()
    page.wait_for_url("**done=dropped")
    assert "0 tasks" in page.locator(".result").inner_text()


def test_an_admin_who_is_sure_resets_the_board(visit: Callable[..., Visit]):
    page = visit("editor").go("/console/tasks")
    assert page.get_by_role("button", name="Reset the board").count() == 0
    page = visit("admin").go("/console/tasks")
    page.get_by_role("button", name="Reset the board").click()
    page.wait_for_load_state("load")
    assert "Please tick the box first." in page.locator("#sure-fault").inner_text()
    page.get_by_label("Drop all tasks").check()
    page.get_by_role("button", name="Reset the board").click()
    page.wait_for_url("**?done=reset")
    make_task(page, "The first")
    assert "#1," in page.locator(".tasks").inner_text()


@pytest.mark.parametrize("name", ATTACKS)
def test_what_people_type_is_text(visit: Callable[..., Visit], name: str):
    window = visit("editor")
    page = window.go("/console/tasks")
    make_task(page, f"{name} {ATTACKS[name]}"[:200], short_description=ATTACKS[name], product=f"bazaar:{ATTACKS[name]}"[:200])
    page.get_by_role("link", name=f"{name} ").first.click()
    page.wait_for_load_state("load")
    assert page.locator("h1").inner_text().startswith(f"{name} {ATTACKS[name]}"[:100].strip())
    assert page.evaluate("window.pwned") is None
    assert page.locator("main :is(iframe, object, embed, base, script, img)").count() == 0
    assert not any("dialog" in text or "Content Security Policy" in text for text in window.complaints)
