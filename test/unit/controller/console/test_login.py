from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from main.controller.console.login import HOME, own_path
from test.fakes import PASSWORD
from test.unit.controller.console.pages import BROWSER, PAGE, Pages, Parsed

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

URL = "/console/login"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/console\\evil",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/console/\n/x",
    "/docs",
    "/consolex",
    "console/products",
    "",
    " /",
    "/console/products#x\r\nSet-Cookie: a=b",
    "///evil.example",
    "/?\\",
    "/" + "?" * 2100,
    "/console/ü",
]


class Guest:
    """A browser that keeps its cookies and is nobody yet."""

    def __init__(self, pages: Pages, base: str = "http://localhost") -> None:
        self.client, self.base = pages.app.test_client(), base

    def open(self, query: str = "") -> Parsed:
        answer = self.client.get(f"{URL}{query}", headers=BROWSER, base_url=self.base)
        assert answer.status_code == 200
        return Parsed(answer.text)

    def send(self, page: Parsed, headers: Any = None, **data: str) -> TestResponse:
        fields = {field["name"]: field.get("value") or "" for field in page.all("input") if field["type"] in {"hidden", "text"}}
        headers = {**BROWSER, **PAGE, "Origin": self.base} if headers is None else headers
        return self.client.post(
            URL, headers=headers, data={**fields, "username": "ada", "password": PASSWORD, **data}, base_url=self.base
        )

    def see(self, url: str) -> TestResponse:
        return self.client.get(url, headers=BROWSER, base_url=self.base)


@pytest.fixture
def guest(pages: Pages) -> Guest:
    return Guest(pages)


def test_a_login_leads_back_to_where_it_began(guest: Guest):
    sent_away = guest.see("/console/products?q=desk+lamp")
    assert sent_away.status_code == 303
    page = Parsed(guest.see(sent_away.headers["Location"]).text)
    answer = guest.send(page)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/products?q=desk+lamp")
    assert guest.see(answer.headers["Location"]).status_code == 200


def test_the_cookie_is_that_of_the_api(guest: Guest):
    cookies = guest.send(guest.open()).headers.getlist("Set-Cookie")
    (token,) = [cookie for cookie in cookies if cookie.startswith("token=")]
    assert "HttpOnly" in token
    assert "SameSite=Strict" in token
    assert guest.client.get("/auth/me").json["username"] == "ada"


def test_over_https_both_cookies_are_bound_to_this_host(pages: Pages):
    guest = Guest(pages, "https://localhost")
    answer = guest.send(guest.open())
    assert answer.status_code == 303
    names = {cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")}
    assert names == {"__Host-token"}
    assert guest.see("/").status_code == 200


@pytest.mark.parametrize("given", [{"password": "wrong"}, {"username": "nobody"}, {"username": "x" * 200}])
def test_wrong_credentials_are_told_alike_and_the_name_is_kept(guest: Guest, given: dict[str, str]):
    answer = guest.send(guest.open("?next=/console/sources"), **given)
    page = Parsed(answer.text)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in page.text
    assert page.one("input", name="username")["value"] == given.get("username", "ada")
    assert page.one("input", name="next")["value"] == "/console/sources"
    assert page.one("input", name="password").get("value") in {None, ""}
    assert "WWW-Authenticate" not in answer.headers
    assert guest.send(page).headers["Location"] == "/console/sources"


@pytest.mark.parametrize("given", [{"password": ""}, {"username": ""}, {"username": "x" * 201}, {"password": "x" * 1001}])
def test_what_is_missing_or_too_long_is_told_at_its_field(guest: Guest, given: dict[str, str]):
    answer = guest.send(guest.open(), **given)
    page, name = Parsed(answer.text), next(iter(given))
    assert answer.status_code == 422
    assert page.one("input", name=name)["aria-describedby"] == f"{name}-fault"
    assert len(page.all("p", id=f"{name}-fault")) == 1


def test_too_many_tries_have_to_wait(guest: Guest):
    page = guest.open()
    answers = [guest.send(page, password="wrong") for _ in range(9)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert "please wait" in answers[-1].text


def test_a_login_from_elsewhere_is_refused(guest: Guest):
    page = guest.open()
    for headers in ({}, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, {**PAGE, "Origin": "null"}):
        assert guest.send(page, headers).status_code == 403
    assert guest.client.get("/auth/me").status_code == 401


def test_a_login_needs_the_token_of_this_very_browser(pages: Pages):
    mine, other = Guest(pages), Guest(pages)
    page, foreign = mine.open(), other.open()
    for token in (foreign.one("input", name="csrf_token")["value"], "", "a.b", "é.é"):
        answer = mine.send(page, csrf_token=token)
        assert answer.status_code == 422
        assert "please send it again" in answer.text
        assert Parsed(answer.text).one("input", name="username")["value"] == "ada"
    assert mine.send(page).status_code == 303


def test_who_lost_the_cookie_gets_the_form_again(guest: Guest):
    page = guest.open()
    guest.client.delete_cookie("visit")
    answer = guest.send(page)
    assert answer.status_code == 422
    assert guest.send(Parsed(answer.text)).status_code == 303


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_a_login_leads_to_no_other_place(guest: Guest, wanted: str):
    assert own_path(wanted) == HOME
    page = guest.open(f"?{urlencode({'next': wanted})}")
    assert page.one("input", name="next")["value"] == HOME
    assert guest.send(page, next=wanted).headers["Location"] == HOME


@pytest.mark.parametrize(
    "wanted", ["/", "/?done=x", "/console/products?q=a%20b&x=1", "/console/products/lumen:a//b", "/console/sources/lumen"]
)
def test_a_login_leads_to_pages_of_ours(wanted: str):
    assert own_path(wanted) == wanted


def test_behind_a_prefix_it_leads_back_below_it(pages: Pages):
    client = pages.app.test_client()
    proxied = {**BROWSER, **PAGE, "X-Forwarded-Prefix": "/service/aisle"}
    sent_away = client.get("/console/sources", headers=proxied)
    assert sent_away.headers["Location"] == "/service/aisle/console/login?next=/console/sources"
    page = Parsed(client.get("/console/login?next=/console/sources", headers=proxied).text)
    fields = {field["name"]: field.get("value") or "" for field in page.all("input", type="hidden")}
    answer = client.post(URL, headers=proxied, data={**fields, "username": "ada", "password": PASSWORD})
    assert answer.headers["Location"] == "/service/aisle/console/sources"
    assert page.one("link", rel="stylesheet")["href"].startswith("/service/aisle/static/console.css")


def test_a_logout_ends_the_login_and_the_cookie(guest: Guest):
    guest.send(guest.open())
    token = guest.client.get_cookie("token").value
    page = Parsed(guest.see("/").text)
    proof = page.one("input", name="csrf_token")["value"]
    answer = guest.client.post("/console/logout", headers={**BROWSER, **PAGE}, data={"csrf_token": proof})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login?done=logout")
    assert guest.client.get_cookie("token") is None
    assert guest.client.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert "You are logged out." in guest.see(answer.headers["Location"]).text


def test_a_logout_without_its_token_ends_nothing(guest: Guest):
    guest.send(guest.open())
    assert guest.client.post("/console/logout", headers={**BROWSER, **PAGE}).status_code == 403
    assert guest.see("/").status_code == 200
    assert guest.client.get("/console/logout", headers=BROWSER).status_code == 405


def test_a_program_needs_the_token_for_a_logout_too(pages: Pages):
    assert pages.ask("POST", "/console/logout", "admin-token").status_code == 403
