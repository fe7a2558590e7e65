"""Every page, wide and narrow, with and without JavaScript: whole, within its bounds, open to everybody's senses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from test.browser.site import WIDTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from test.browser.site import Visit

MOST_BYTES = 60_000
PAGES = {
    "overview": "/",
    "products": "/console/products",
    "products-filtered": "/console/products?q=rug&sort=-price&category=Rugs&min_price=45&currency=EUR&page=2",
    "products-wrong": "/console/products?q=rug&min_price=many&currency=eur&page=0",
    "products-none": "/console/products?q=nothinglikethis",
    "product": "/console/products/bazaar:rug-1",
    "product-hostile": "/console/products/bazaar:xss-script",
    "product-arabic": "/console/products/bazaar:ar-1",
    "product-noted": "/console/products/bazaar:rug-0",
    "product-rejected": "/console/products/bazaar:bad-1",
    "product-live": "/console/products/bazaar:rug-1?live=true",
    "sources": "/console/sources",
    "source": "/console/sources/bazaar",
    "source-done": "/console/sources/parts?done=sync",
    "tasks": "/console/tasks",
    "tasks-wrong": "/console/tasks?status=odd&priority=9",
    "task": "/console/tasks/1",
    "login": "/console/login",
    "missing": "/console/nothing",
}
WRONG = {"products-wrong", "tasks-wrong"}
GROUNDS = {"light": "rgb(246, 247, 245)", "dark": "rgb(18, 22, 20)"}


@pytest.mark.parametrize("scripted", [True, False], ids=["js", "no-js"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_and_small(visit: Callable[..., Visit], name: str, width: int, *, scripted: bool):
    window = visit(width=width, scripted=scripted)
    page = window.go(PAGES[name])
    assert page.locator("h1").count() == page.locator("main").count() == 1
    assert (page.locator("h1").inner_text() == "Log in") is (name == "login")
    assert page.title().endswith("· Aisle")
    assert not window.is_too_wide()
    assert {kind for kind, _ in window.strangers} <= {"image"}
    assert [text for text in window.complaints if not is_expected(text, name)] == []
    size = window.count_bytes()
    print(f"{name}: {size} bytes on the wire")
    assert 0 < size < MOST_BYTES
    window.picture(f"{name}-{width}-{'js' if scripted else 'nojs'}")


def is_expected(complaint: str, name: str) -> bool:
    """Pictures that are not to be had, and pages whose status is an error, are no defects of the page."""
    return "ERR_" in complaint or "404" in complaint or (name in WRONG and "422" in complaint)


@pytest.mark.parametrize("scheme", GROUNDS)
@pytest.mark.parametrize("name", PAGES)
def test_no_page_shuts_anybody_out_in_light_or_dark(visit: Callable[..., Visit], name: str, scheme: str):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only where there is a browser

    window = visit(scheme=scheme, width=390 if scheme == "light" else 1280)
    page = window.go(PAGES[name])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == GROUNDS[scheme]
    window.picture(f"{name}-{scheme}")
    for details in page.locator("details").all():
        details.evaluate("element => { element.open = true }")
    wanted = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=wanted).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
