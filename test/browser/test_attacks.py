"""What a shop writes to be taken for an order is shown as text, in every page it can get into."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from test.browser.bazaar import ARABIC, ATTACKS
from test.browser.site import KEY
from test.e2e.stack import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from test.browser.site import Visit

PLACES = [
    "/console/products?source=bazaar&per_page=100",
    "/console/products?source=bazaar&per_page=100&sort=-price&live=true",
    "/console/sources/bazaar",
    "/console/products/bazaar:bad-1",
    *(f"/console/products/bazaar:xss-{name}" for name in ATTACKS),
    *(f"/console/products/bazaar:xss-{name}?live=true" for name in list(ATTACKS)[:2]),
    *(f"/console/products?q={quote(text)}&brand={quote(text)}&min_price={quote(text)}" for text in ATTACKS.values()),
    *(f"/console/login?next={quote(text)}&done={quote(text)}" for text in ATTACKS.values()),
    *(f"/console/sources/{quote(text, safe='')}" for text in list(ATTACKS.values())[:3]),
]


@pytest.mark.parametrize("path", PLACES)
def test_nothing_of_it_is_run_or_becomes_markup(visit: Callable[..., Visit], path: str):
    window = visit("admin")
    page = window.go(path)
    page.mouse.move(300, 300)
    page.keyboard.press("Tab")
    assert page.evaluate("window.pwned") is None
    assert not any("dialog" in text or "Content Security Policy" in text for text in window.complaints)
    assert page.locator("iframe, object, embed, base, script:not([src]), [style]").count() == 0
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(e => [...e.attributes].every(a => !a.name.startsWith('on')))"
    )
    links = page.evaluate(
        "[...document.querySelectorAll('a[href], form[action], img[src]')].map(e => e.href || e.action || e.src)"
    )
    assert [link for link in links if not str(link).startswith(("http://", "https://"))] == []
    assert {kind for kind, _ in window.strangers} <= {"image"}
    assert "elsewhere.example" not in {host for _, host in window.strangers}  # plain http, and no host of the settings


@pytest.mark.parametrize("name", ["script", "image", "quote", "single", "closing", "frame"])
def test_it_is_read_as_it_was_written(visit: Callable[..., Visit], name: str):
    page = visit("reader").go(f"/console/products/bazaar:xss-{name}")
    assert page.locator("h1").inner_text() == f"{name} {ATTACKS[name]}"
    assert page.locator("dd", has_text=f"Maker {ATTACKS[name]}").count() == 1
    assert page.get_by_role("link", name="Open in the shop").count() == 0


def test_arabic_runs_from_the_right(visit: Callable[..., Visit]):
    page = visit("reader", width=390).go("/console/products/bazaar:ar-1")
    title = page.locator("h1")
    assert title.inner_text() == ARABIC
    assert title.evaluate("element => getComputedStyle(element).direction") == "rtl"
    page.goto(page.url.replace("/bazaar:ar-1", "?category=Lamps"), wait_until="load")
    assert page.locator(".card h2", has_text=ARABIC).evaluate("element => getComputedStyle(element).direction") == "rtl"


def test_a_picture_that_is_missing_leaves_the_placeholder(visit: Callable[..., Visit]):
    page = visit("reader").go("/console/products/bazaar:ar-1")
    picture = page.locator(".picture").first
    page.locator(".picture img.failed").first.wait_for(state="attached")
    assert "placeholder.svg" in picture.evaluate("element => getComputedStyle(element).backgroundImage")
    assert picture.locator("img").evaluate("element => getComputedStyle(element).visibility") == "hidden"


def test_a_picture_that_is_there_is_seen(visit: Callable[..., Visit]):
    page = visit("reader").go("/console/products/bazaar:rug-1")
    wait_for("the picture", lambda: page.locator(".picture img").evaluate("image => image.naturalWidth") == 40)


def test_no_page_tells_a_secret(visit: Callable[..., Visit]):
    window = visit("admin")
    for path in ("/", "/console/sources", "/console/sources/bazaar", "/console/sources/depot"):
        assert not any(secret in window.go(path).content() for secret in (KEY, "demo-key", "demo-secret"))
