from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import jinja2
import pytest

from main.app import create_app
from main.settings.model import Console
from test.fakes import FakeDoor, MemoryCatalogue, make_product, put_snapshot
from test.unit.controller.console.pages import BROWSER, Pages, Parsed

if TYPE_CHECKING:
    from main.settings import Settings

ROLES = {
    ("GET", "/"): "reader",
    ("GET", "/console"): "public",
    ("GET", "/console/"): "public",
    ("GET", "/console/products"): "reader",
    ("GET", "/console/products/lumen:1"): "reader",
    ("GET", "/console/sources"): "reader",
    ("GET", "/console/sources/lumen"): "reader",
    ("POST", "/console/sources/lumen"): "admin",
    ("GET", "/console/login"): "public",
    ("POST", "/console/logout"): "reader",
}
ORDER = ["public", "reader", "editor", "admin"]


@pytest.mark.parametrize(("method", "url"), ROLES)
@pytest.mark.parametrize("role", [None, "reader", "editor", "admin"])
def test_each_page_lets_in_whom_it_is_for(pages: Pages, method: str, url: str, role: str | None):
    allowed = ORDER.index(role or "public") >= ORDER.index(ROLES[method, url])
    if method == "POST" and role is not None:
        answer = pages.post(url, role, sync="1")
    else:
        answer = pages.ask(method, url, headers={**BROWSER, **({"Cookie": f"token={role}-token"} if role else {})})
    if allowed:
        assert answer.status_code in {200, 303}
        assert "login?next" not in answer.headers.get("Location", "")
    elif role is None:
        assert answer.headers["Location"].startswith("/console/login")
    else:
        assert answer.status_code == 403


def test_hosts_of_pictures_are_those_of_the_settings(settings: Settings):
    store = MemoryCatalogue()
    put_snapshot(
        store, "lumen", [make_product(1, "lumen", images=("http://pictures.example:81/1.png", "http://other.example/2.png"))]
    )
    console = replace(settings, console=Console(image_hosts=("pictures.example:81",)))
    answer = create_app(console, reader=store, door=FakeDoor()).test_client().get("/console/products/lumen:1", headers=BROWSER)
    assert [picture["src"] for picture in Parsed(answer.text).all("img")] == ["http://pictures.example:81/1.png"]
    assert "img-src 'self' https: http://pictures.example:81" in answer.headers["Content-Security-Policy"]


def test_a_form_that_is_too_large_is_not_read(pages: Pages):
    headers = {**BROWSER, "Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        answer = pages.ask("POST", "/console/login", headers=headers, data={"username": "x" * 70_000}, content_type=kind)
        assert (answer.status_code, answer.mimetype) == (413, "text/html")


def test_a_name_that_a_template_misspells_is_an_error(pages: Pages):
    with pytest.raises(jinja2.UndefinedError):
        pages.app.jinja_env.from_string("{{ nothing }}").render()
