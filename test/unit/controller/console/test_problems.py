from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from main.app import create_app
from test.fakes import FakeDoor
from test.unit.controller.console.pages import BROWSER, Pages, Parsed
from test.unit.controller.readers import SECRET, BrokenReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from main.settings import Settings

PLACES = ["/", "/console/products", "/console/products/lumen:1", "/console/sources", "/console/sources/lumen"]


@pytest.mark.parametrize("url", PLACES)
def test_who_is_not_logged_in_is_led_to_the_login_page_and_back(pages: Pages, url: str):
    answer = pages.get(url)
    back = "" if url == "/" else f"?next={url}"
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/console/login{back}")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_query_is_not_lost_on_the_way(pages: Pages):
    assert pages.get("/console/products?q=a%26b").headers["Location"] == "/console/login?next=/console/products?q%3Da%2526b"


def test_a_login_that_is_over_is_forgotten_and_asked_for_again(pages: Pages):
    answer = pages.get("/console/sources", headers={"Cookie": "token=old-token"})
    assert answer.headers["Location"] == "/console/login?next=/console/sources"
    assert any(cookie.startswith("token=;") for cookie in answer.headers.getlist("Set-Cookie"))
    assert "Log in" in pages.see("/console/login", headers={"Cookie": "token=old-token"}).text


def test_a_form_of_a_login_that_is_over_leads_to_the_login_page_and_back_to_the_page(pages: Pages):
    for url, back in (("/console/sources/lumen", "?next=/console/sources/lumen"), ("/console/logout", "")):
        answer = pages.ask("POST", url, headers={**BROWSER, "Cookie": "token=old-token"})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/console/login{back}")


def test_an_address_that_is_nobodys_is_a_page_for_a_browser_and_json_for_a_program(pages: Pages):
    for url in ("/nothing", "/console/nothing", "/console/products/x//y"):
        page = pages.see(url, "reader", 404)
        assert "There is no such page" in page.text
        assert page.one("form", action="/console/logout")
    assert pages.ask("GET", "/nothing").mimetype == "application/problem+json"


def test_the_api_answers_a_browser_as_it_answers_everybody(pages: Pages):
    for url, status in (("/products?page=0", 422), ("/sources/nobody", 404), ("/status", 401)):
        answer = pages.get(url, None if status == 401 else "reader")
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_method_that_there_is_not_is_a_page_that_says_which_there_are(pages: Pages):
    answer = pages.ask("PUT", "/console/sources/lumen", headers=BROWSER)
    assert (answer.status_code, answer.mimetype) == (405, "text/html")
    assert "POST" in answer.headers["Allow"]


def test_a_defect_shows_nothing_of_itself(settings: Settings):
    client = create_app(settings, reader=BrokenReader(), door=FakeDoor()).test_client()
    answer = client.get("/console/products", headers={**BROWSER, "Cookie": "token=reader-token"})
    page = Parsed(answer.text)
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "Something went wrong" in page.text
    assert SECRET not in answer.text
    assert answer.headers["X-Request-ID"] in page.text


def test_a_store_that_is_down_is_a_page_that_says_when_to_come_back(pages: Pages):
    pages.store.down = True
    answer = pages.get("/console/sources", "reader")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Not available right now" in answer.text


def test_too_long_a_query_is_a_page(pages: Pages):
    assert "query" in pages.see(f"/console/products?q={'x' * 9000}", "reader", 422).text


@pytest.mark.parametrize("base", ["http://localhost", "https://localhost"])
def test_every_page_may_load_its_own_things_and_pictures_only(pages: Pages, base: str):
    for url, role in ((url, role) for url in (*PLACES, "/nothing", "/console/login") for role in (None, "reader")):
        answer: Callable[..., object] = pages.get(url, role, base_url=base)
        if answer.status_code == 303:
            assert "'self'" not in answer.headers["Content-Security-Policy"]
            continue
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["img-src"] == "'self' https:"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
