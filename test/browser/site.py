"""The whole chain with a hostile shop in it, and a browser that looks at it as somebody with some role, at some width."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from main.bootstrap_doors import build_accounts
from main.service.model import Role
from main.settings import load_settings
from sample.plan import ROOT
from sample.server import running
from test.browser.bazaar import Bazaar, describe
from test.e2e.stack import NGINX, Stack, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Request

PASSWORD = "a lamp, a rug and a kettle"
KEY = "bazaar-key-that-nobody-may-see"
ARTEFACTS = ROOT / "test-artifacts"
WIDTHS = (390, 1280)


@dataclass(frozen=True)
class Site:
    """A running chain whose accounts are called like their roles."""

    stack: Stack
    bazaar: Bazaar

    @property
    def url(self) -> str:
        return self.stack.plan.address


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """The chain, closed to who is not logged in, with three accounts."""
    bazaar = Bazaar()
    with running(bazaar) as base, pytest.MonkeyPatch.context() as patch:
        bazaar.base = base
        config = yaml.safe_load((ROOT / "config.yml").read_text())
        config["sources"].append(describe(base))
        config["console"] = {"image_hosts": [urlsplit(base).netloc]}
        config["live"] = {"deadline": "5s"}  # a shop on the same busy machine may need it
        path = folder / "config.yml"
        path.write_text(yaml.safe_dump(config, allow_unicode=True))
        patch.setenv("AISLE_CONFIG", str(path))
        patch.setenv("BAZAAR_KEY", KEY)
        patch.setenv("AISLE_AUTH__ANONYMOUS", "none")
        patch.setenv("AISLE_LIMITS__LOGIN_ADDRESS", "off")
        make_accounts(folder, path)
        with run_stack(folder, NGINX) as stack:
            yield Site(stack, bazaar)


def make_accounts(folder: Path, config: Path) -> None:
    built = build_accounts(load_settings({"AISLE_CONFIG": str(config), "AISLE_DATA": str(folder), "BAZAAR_KEY": KEY}))
    built.lifecycle.open()
    for role in Role:
        built.accounts.add(role.value, PASSWORD, role)
    built.lifecycle.close()


@dataclass
class Visit:
    """A browser window of somebody; what it asked for, and what it complained of."""

    site: Site
    context: BrowserContext
    page: Page
    scripted: bool
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Remember what was asked for."""
        self.requests.append(request)

    def go(self, path: str) -> Page:
        """A page of the console, loaded."""
        self.page.goto(f"{self.site.url}{path}", wait_until="load")
        return self.page

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Log in on the page that is open."""
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_load_state("load")

    @property
    def strangers(self) -> set[tuple[str, str]]:
        """Requests to other hosts: what kind, and to whom."""
        own = urlsplit(self.site.url).netloc
        return {
            (request.resource_type, urlsplit(request.url).netloc)
            for request in self.requests
            if urlsplit(request.url).netloc != own and request.url.startswith("http")
        }

    def count_bytes(self) -> int:
        """What came over the wire from our own host so far, without pictures."""
        answers = (request.response() for request in self.requests if request.url.startswith(self.site.url))
        return sum(
            answer.request.sizes()["responseBodySize"]
            for answer in answers
            if answer is not None and "image" not in answer.headers.get("content-type", "")
        )

    def picture(self, name: str) -> None:
        """Keep what is seen as a test artefact."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png", full_page=True)

    def is_too_wide(self) -> bool:
        """Whether one would have to scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def start_visit(browser: Browser, site: Site, *, width: int = 1280, scripted: bool = True, scheme: Any = "light") -> Visit:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripted, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(60_000)  # passwords are hashed when the machine has nothing else to do
    visit = Visit(site, context, context.new_page(), scripted)
    context.on("request", visit.note)
    visit.page.on("console", lambda message: visit.complaints.append(message.text) if message.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("dialog", lambda dialog: (visit.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    return visit
