"""What a browser shows while the application is away, and how it comes back; Nginx alone is in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sample.ports import LOOPBACK
from test.e2e.certificates import make_tls
from test.e2e.front import run_front
from test.e2e.stack import NGINX, NO_NGINX

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(NGINX is None, reason=NO_NGINX)


def test_a_page_says_that_the_application_is_away_and_gives_way_to_it_by_itself(browser: Browser, tmp_path: Path) -> None:
    said: list[str] = []
    with run_front(tmp_path, NGINX) as front:
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        answer = page.goto(f"{front.plan.address}/console")
        assert answer
        assert (answer.status, page.title()) == (502, "Bad Gateway")
        assert page.inner_text("p >> nth=0") == "The application cannot be reached at the moment."
        with front.with_application():
            page.get_by_text("http", exact=True).wait_for(timeout=60_000)
        page.close()
    # The browser's own word of the status, and nothing of a policy that was hurt.
    assert [text for text in said if "502" not in text] == []


def test_plain_http_brings_a_browser_to_https(browser: Browser, tmp_path: Path) -> None:
    tls = make_tls(tmp_path)
    with run_front(tmp_path / "front", NGINX, tls=tls) as front, front.with_application():
        page = browser.new_page(ignore_https_errors=True)
        page.goto(f"http://{LOOPBACK}:{front.plan.port}/console?a=b")
        assert page.url == f"https://{LOOPBACK}:{tls.port}/console?a=b"
        assert page.inner_text("body") == "https"
        page.close()
