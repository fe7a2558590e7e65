"""One chain and one browser for all tests of pages: Debian's chromium, where it is installed; none is ever downloaded.

They end with the last of these tests: the chain's environment and the browser's event loop would be met by those that come after.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from test.browser.site import Site, Visit, open_site, start_visit
from test.e2e.stack import NGINX, NO_NGINX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

LOGIN_LASTS = 300.0  # seconds for which one is used; a third of what it is good for, as the machine may be slow
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


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if NGINX is None:
        pytest.skip(NO_NGINX)
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture(scope="package")
def logins() -> dict[str, tuple[float, Any]]:
    """What the browser keeps of a login, by role, and since when: one login for many tests."""
    return {}


def log_in(browser: Browser, site: Site, role: str) -> Any:
    """The cookies of a new login."""
    window = start_visit(browser, site)
    window.go("/console/login")
    window.log_in(role)
    cookies = window.context.cookies()
    assert "token" in {cookie["name"] for cookie in cookies}, window.page.content()
    window.context.close()
    return cookies


@pytest.fixture
def visit(browser: Browser, site: Site, logins: dict[str, tuple[float, Any]]) -> Iterator[Callable[..., Visit]]:
    """A function that opens a window, as somebody of a role, at a width, with or without JavaScript."""
    opened: list[Visit] = []

    def start(role: str | None = "admin", **given: Any) -> Visit:
        found = start_visit(browser, site, **given)
        if role is not None:
            since, _ = logins.get(role, (-LOGIN_LASTS, None))
            if time.monotonic() - since >= LOGIN_LASTS:
                logins[role] = (time.monotonic(), log_in(browser, site, role))
            found.context.add_cookies(logins[role][1])
        opened.append(found)
        return found

    yield start
    for each in opened:
        each.context.close()
