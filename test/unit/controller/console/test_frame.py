from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from flask import render_template_string

from main.controller.console import frame
from test.unit.controller.console.pages import BROWSER, Pages

if TYPE_CHECKING:
    from main.settings import Settings

JSON_FIRST = ["", "*/*", "application/json", "application/json, text/html;q=0.9", "text/*;q=0.1, application/json"]
ENDS = {"overview": "/", "products": "/console/products", "sources": "/console/sources", "source": "/console/sources/lumen"}


@pytest.mark.parametrize("accept", JSON_FIRST)
def test_a_program_gets_json_at_the_root(pages: Pages, accept: str):
    answer = pages.ask("GET", "/", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("accept", [BROWSER["Accept"], "text/html", "text/html, application/json;q=0.9"])
def test_a_browser_gets_a_page_at_the_root(pages: Pages, accept: str):
    answer = pages.get("/", "reader", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "text/html", "no-store")
    assert {"Accept", "Cookie", "Authorization"} <= set(re.split(", *", answer.headers["Vary"]))


@pytest.mark.parametrize("url", ENDS.values())
def test_each_page_stands_in_the_frame(pages: Pages, url: str):
    page = pages.see(url, "reader")
    assert len(page.all("h1")) == len(page.all("main", id="main")) == 1
    assert page.words[0].endswith("· Aisle")
    assert page.one("html")["lang"] == "en"
    assert page.all("a")[0]["href"] == "#main"
    assert len([link for link in page.all("a") if link.get("aria-current") == "page"]) == 1


def test_a_product_is_below_the_products(pages: Pages):
    page = pages.see("/console/products/lumen:1", "reader")
    assert page.one("a", **{"aria-current": "page"})["href"] == "/console/products"


def test_the_visitor_is_named_and_may_leave(pages: Pages):
    page = pages.see("/", "editor")
    assert "editor" in page.text
    assert page.one("form", action="/console/logout")["method"] == "post"


def test_who_is_not_logged_in_may_log_in_and_comes_back(settings: Settings):
    page = Pages(settings, anonymous="reader").see("/console/products?q=lamp")
    assert "/console/login?next=/console/products?q%3Dlamp" in {link["href"] for link in page.all("a")}
    assert page.all("form", method="post") == []


def test_what_was_done_is_told_in_our_own_words_only(pages: Pages):
    assert frame.DONE["breaker"] in pages.see("/console/sources/lumen?done=breaker", "reader").text
    assert pages.see("/?done=<script>", "reader").all("p", **{"class": "done"}) == []
    assert "Aisle" in pages.see("/console/login?done=anything").text


@pytest.mark.parametrize(("role", "allowed"), [(None, 0), ("reader", 1), ("editor", 2), ("admin", 3)])
def test_a_role_may_what_the_roles_before_it_may(pages: Pages, role: str | None, allowed: int):
    cookie = {"Cookie": f"token={role}-token"} if role else {}
    with pages.app.test_request_context("/", headers=cookie):
        template = "{{ frame.may('reader') }} {{ frame.may('editor') }} {{ frame.may('admin') }}"
        told = render_template_string(template, frame=frame.make_frame())
    assert told.split() == ["True"] * allowed + ["False"] * (3 - allowed)


def test_a_static_file_is_kept_for_good_and_has_another_address_when_it_changes(pages: Pages):
    page = pages.see("/console/login")
    address = page.one("link", rel="stylesheet")["href"]
    assert re.fullmatch(r"/static/console\.css\?v=[0-9a-f]{12}", address)
    assert pages.ask("GET", address).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in pages.ask("GET", "/static/console.css").headers["Cache-Control"]
    assert "immutable" not in pages.ask("GET", "/static/nothing.css?v=1").headers["Cache-Control"]
