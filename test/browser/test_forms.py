"""Every form of the console, sent by a real browser, with and without JavaScript, wide and narrow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from test.browser.site import PASSWORD, WIDTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from test.browser.site import Visit

WAYS = [
    pytest.param({"width": width, "scripted": js}, id=f"{width}-{'js' if js else 'no-js'}")
    for width in WIDTHS
    for js in (True, False)
]


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


@pytest.mark.parametrize("way", WAYS)
def test_a_login_leads_back_and_a_logout_ends_it(visit: Callable[..., Visit], way: dict[str, Any]):
    window = visit(None, **way)
    page = window.go("/console/products?q=rug&sort=-price")
    assert heading(page) == "Log in"
    window.log_in("reader")
    assert page.url.endswith("/console/products?q=rug&sort=-price")
    assert page.get_by_role("searchbox").input_value() == "rug"
    page.get_by_role("button", name="Log out").click()
    page.wait_for_load_state("load")
    assert "You are logged out." in page.locator("main").inner_text()
    window.go("/console/sources")
    assert heading(page) == "Log in"
    assert window.complaints == []


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_told_and_the_name_is_kept(visit: Callable[..., Visit], way: dict[str, Any]):
    window = visit(None, **way)
    page = window.go("/console/login?next=/console/sources")
    window.log_in("reader", "not the password")
    assert "The name or the password is wrong." in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Name", exact=True).input_value() == "reader"
    window.picture(f"login-wrong-{way['width']}-{'js' if way['scripted'] else 'nojs'}")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/sources")


@pytest.mark.parametrize("way", WAYS)
def test_a_search_is_narrowed_ordered_and_paged(visit: Callable[..., Visit], way: dict[str, Any]):
    page = (window := visit("reader", **way)).go("/")
    page.get_by_role("searchbox").fill("rug")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/console/products?q=rug")
    assert "60 products, page 1 of 2" in page.locator(".result").inner_text()
    page.get_by_label("Order").select_option("-price")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("bazaar").check()
    page.get_by_label("from").fill("50")
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_load_state("load")
    assert "50 products, page 1 of 2" in page.locator(".result").inner_text()
    assert "99.00 EUR" in page.locator(".card").first.inner_text()
    page.get_by_role("link", name="Next").click()
    page.wait_for_load_state("load")
    assert page.locator(".card").count() == 20
    assert page.get_by_label("bazaar").is_checked()
    page.get_by_role("link", name="25 to 50 EUR").or_(page.get_by_role("link", name="50 to 100 EUR")).first.click()
    page.wait_for_load_state("load")
    assert "max_price=99.99" in page.url
    page.get_by_role("link", name="Clear filters").click()
    page.wait_for_load_state("load")
    assert "60 products" in page.locator(".result").inner_text()
    assert [text for text in window.complaints if "ERR_" not in text] == []


@pytest.mark.parametrize("way", WAYS)
def test_what_was_typed_wrong_is_told_at_its_box(visit: Callable[..., Visit], way: dict[str, Any]):
    page = visit("reader", **way).go("/console/products")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("from").fill("many")
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_load_state("load")
    box = page.get_by_label("from")
    assert box.input_value() == "many"
    assert "must be an amount" in page.locator(f"#{box.get_attribute('aria-describedby')}").inner_text()


@pytest.mark.parametrize("way", WAYS)
def test_a_look_shows_what_the_shop_asks_now(visit: Callable[..., Visit], way: dict[str, Any]):
    window = visit("reader", **way)
    page = window.go("/console/products?q=%22woven+rug+1%22&source=bazaar")
    page.get_by_role("link", name="Woven rug 1", exact=True).click()
    page.wait_for_load_state("load")
    assert heading(page) == "Woven rug 1"
    assert "41.00 EUR" in page.locator(".price").inner_text()
    window.site.bazaar.price = "37.50"
    try:
        page.get_by_role("button", name="Look now").click()
        page.wait_for_load_state("load")
        assert re.search(r"live|confirmed", page.get_by_role("status").inner_text())
        assert page.locator(".price").inner_text() in {"37.50 EUR", "41.00 EUR"}  # what another window was told a moment ago
    finally:
        window.site.bazaar.price = "41.00"


@pytest.mark.parametrize("way", WAYS)
def test_an_admin_syncs_breaks_and_switches(visit: Callable[..., Visit], way: dict[str, Any]):
    page = visit("admin", **way).go("/console/sources/parts")
    page.get_by_label("Accept it even if").check()
    page.get_by_role("button", name="Sync now").click()
    page.wait_for_url("**?done=sync")
    assert "The sync is asked for" in page.locator(".done").inner_text()
    assert "asked for" in page.locator("table").first.inner_text()
    page.get_by_label("Breaker").select_option("forced_open")
    page.get_by_role("button", name="Set breaker").click()
    page.wait_for_url("**?done=breaker")
    assert "breaker open" in page.locator("h1").inner_text()
    page.get_by_label("Source", exact=True).select_option("off")
    page.get_by_role("button", name="Set switch").click()
    page.wait_for_url("**?done=switch")
    assert "switched off" in page.locator("h1").inner_text()
    page.get_by_role("button", name="Sync now").click()
    page.wait_for_load_state("load")
    assert "This source was switched off" in page.get_by_role("alert").inner_text()
    for label, choice, button, done in (
        ("Source", "settings", "Set switch", "switch"),
        ("Breaker", "auto", "Set breaker", "breaker"),
    ):
        page.get_by_label(label, exact=True).select_option(choice)
        page.get_by_role("button", name=button).click()
        page.wait_for_url(f"**?done={done}")


@pytest.mark.parametrize("role", ["reader", "editor"])
def test_what_a_role_may_not_do_is_not_there(visit: Callable[..., Visit], role: str):
    page = visit(role).go("/console/sources/parts")
    assert page.get_by_role("button", name="Sync now").count() == 0
    assert page.get_by_label("Breaker").count() == 0


def test_a_form_of_another_site_changes_nothing(visit: Callable[..., Visit]):
    """The browser itself sends it, cookies and all, as far as SameSite lets it."""
    window = visit("admin")
    target = f"{window.site.url}/console/sources/depot"
    window.page.set_content(
        f'<form method="post" action="{target}"><input name="sync" value="1"><input name="csrf_token" value="a.b"></form>'
    )
    window.page.evaluate("document.forms[0].submit()")
    window.page.wait_for_url("**/console/**")
    assert heading(window.page) in {"Log in", "You may not do this"}


def test_everything_can_be_reached_with_the_keyboard(visit: Callable[..., Visit]):
    page = visit("reader").go("/")
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "[document.activeElement.tagName, document.activeElement.textContent.trim() || document.activeElement.value]"
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if told[0] == "BODY":
            break
        assert outline != "none", told
        reached.append(told[1])
    assert reached[0] == "Skip to the content"
    assert {"Overview", "Products", "Sources", "Log out", "Search", "lumen", "bazaar", "API documentation"} <= set(reached)


def test_the_skip_link_leads_past_the_navigation(visit: Callable[..., Visit]):
    page = visit("reader").go("/console/sources")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
