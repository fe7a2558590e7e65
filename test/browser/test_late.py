"""An editor who types for longer than a login lasts without use: a real browser, real minutes, and logins of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from test.browser.site import Site, open_site, start_visit
from test.browser.test_board import found, make_task
from test.browser.test_forms import heading
from test.e2e.stack import NGINX, NO_NGINX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

MINUTE = 60_000
LINES = 'Wired "askew",\n<b>& öfter</b>'


@pytest.fixture
def hasty(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A chain whose logins end after a minute without use."""
    if NGINX is None:
        pytest.skip(NO_NGINX)
    monkeypatch.setenv("AISLE_AUTH__ACCESS_MINUTES", "1")
    with open_site(tmp_path) as opened:
        yield opened


@pytest.mark.timeout(480)
def test_a_login_in_use_goes_on_and_what_was_typed_meanwhile_survives_one_that_has_ended(browser: Browser, hasty: Site):
    window = start_visit(browser, hasty)
    page = window.go("/console/tasks")
    window.log_in("editor")
    page.goto(f"{hasty.url}/console/tasks", wait_until="load")
    for _ in range(3):  # another tab is in use meanwhile
        page.wait_for_timeout(MINUTE * 0.6)
        tab = window.context.new_page()
        tab.goto(f"{hasty.url}/console/sources", wait_until="load")
        assert heading(tab) == "Sources"
        tab.close()
    make_task(page, "Typed while another tab was in use")
    assert "The task is made." in page.locator(".done").inner_text()

    page.goto(f"{hasty.url}/console/tasks?sort=title", wait_until="load")
    new = page.locator("section", has=page.get_by_role("heading", name="New task"))
    new.get_by_label("Assignee").fill("ada")
    page.wait_for_timeout(MINUTE * 1.1)
    make_task(page, "Typed for long", short_description=LINES)
    assert heading(page) == "Log in"
    assert "Your login has ended, so nothing was sent yet." in page.locator("main").inner_text()
    window.picture("login-ended")
    window.log_in("editor", "not the password")
    assert heading(page) == "Log in"
    window.log_in("editor")
    window.picture("form-again")
    check_and_send(page)
    assert "The task is made." in page.locator(".done").inner_text()
    assert page.url.endswith("/console/tasks?sort=title&done=created")
    assert found(page, "Typed for long").count() == 1
    assert [text for text in window.complaints if "status of 401" not in text] == []
    window.context.close()


def check_and_send(page: Any) -> None:
    """The form is there as it was typed; only its sender sends it."""
    assert "Nothing was sent yet: what you typed is still here." in page.locator(".done").inner_text()
    assert found(page, "Typed for long").count() == 0
    new = page.locator("section", has=page.get_by_role("heading", name="New task"))
    assert new.get_by_label("Title").input_value() == "Typed for long"
    assert new.get_by_label("Short description").input_value() == LINES
    assert new.get_by_label("Assignee").input_value() == "ada"
    new.get_by_role("button", name="Create task").click()
    page.wait_for_load_state("load")
