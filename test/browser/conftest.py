"""One chain and one browser for all tests of pages: Debian's chromium, where it is installed; none is ever downloaded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from test.browser.site import Site, Visit, open_site, start_visit
from test.e2e.stack import NGINX, NO_NGINX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM = "No chromium on PATH; `apt-get install chromium` brings one"
# No name leads anywhere: what a page asks of another host is seen, and never sent.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        print(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    # Only here, so that everything else can be tested where it is not installed.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if NGINX is None:
        pytest.skip(NO_NGINX)
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture(scope="session")
def logins(browser: Browser, site: Site) -> dict[str, Any]:
    """What the browser keeps of a login, by role: one login for many tests."""
    kept = {}
    for role in ("reader", "editor", "admin"):
        visit = start_visit(browser, site)
        visit.go("/console/login")
        visit.log_in(role)
        kept[role] = visit.context.cookies()
        assert "token" in {cookie["name"] for cookie in kept[role]}, visit.page.content()
        visit.context.close()
    return kept


@pytest.fixture
def visit(browser: Browser, site: Site, logins: dict[str, Any]) -> Iterator[Callable[..., Visit]]:
    """A function that opens a window, as somebody of a role, at a width, with or without JavaScript."""
    opened: list[Visit] = []

    def start(role: str | None = "admin", **given: Any) -> Visit:
        found = start_visit(browser, site, **given)
        if role is not None:
            found.context.add_cookies(logins[role])
        opened.append(found)
        return found

    yield start
    for each in opened:
        each.context.close()
