"""Who rules out what an address gives is told so, before anything is done; who says nothing of it, or the usual, is not asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from main.app import create_app
from main.controller import accept
from test.fakes import FakeDoor, as_admin

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from main.settings import Settings

BROWSERS = {
    "Chromium": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Firefox": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "an old Java": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
}
JSON = "application/json or application/problem+json"
PAGE = "text/html"


def every_path(app: Flask) -> list[str]:
    """Give an address for each rule that takes GET, whether or not there is something at it."""
    rules = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return sorted(re.sub("<int:.+?>", "1", re.sub("<(path|string):.+?>", "lumen", rule)) for rule in rules)


@pytest.mark.parametrize("given", [None, "", "*/*", *BROWSERS.values()])
def test_nobody_is_refused_who_asks_as_usual(app: Flask, client: FlaskClient, given: str | None):
    headers = {} if given is None else {"Accept": given}
    statuses = {path: client.get(path, headers=headers).status_code for path in every_path(app)}
    assert 406 not in statuses.values(), statuses


@pytest.mark.parametrize(
    "given",
    [
        "application/json",
        "application/*",
        "APPLICATION/JSON",
        "application/problem+json",
        "application/json; charset=utf-8",
        "application/json;q=nonsense",
        "text/html, application/json;q=0.1",
        "application/*;q=0, application/json",
        "application/json;q=0, application/problem+json",
        ", ,",
    ],
)
def test_json_is_given_to_who_takes_it(client: FlaskClient, given: str):
    assert client.get("/products", headers={"Accept": given}).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        "text/html",
        "application/xml",
        "image/*",
        "nonsense",
        "*/*;q=0",
        "application/*;q=0, */*",
        "application/json;q=0, application/problem+json;q=0, */*;q=0.5",
        "text/html;level=1, " * 40 + "text/plain",
    ],
)
def test_who_takes_no_json_is_told_what_there_is(client: FlaskClient, given: str):
    answer = client.get("/products", headers={"Accept": given})
    assert (answer.status_code, answer.mimetype) == (406, "application/problem+json")
    assert answer.json["detail"] == f"This address gives {JSON}; the Accept header allows none of it."


@pytest.mark.parametrize(
    ("path", "given", "named"),
    [
        ("/docs", "application/json", PAGE),
        ("/console/products", "application/json", PAGE),
        ("/", "image/png", f"{JSON} or {PAGE}"),
        ("/swagger.json", "text/html", JSON),
        ("/.well-known/jwks.json", "text/html", JSON),
        ("/hello_world/greeting", "text/plain", JSON),
    ],
)
def test_each_address_names_its_own(client: FlaskClient, path: str, given: str, named: str):
    answer = client.get(path, headers={"Accept": given})
    assert (answer.status_code, answer.mimetype) == (406, "application/problem+json")
    assert answer.json["detail"].startswith(f"This address gives {named};")


def test_the_root_has_both_forms(client: FlaskClient):
    asked = {given: client.get("/", headers={"Accept": given}).mimetype for given in ("text/html", "application/json")}
    assert asked == {"text/html": "text/html", "application/json": "application/json"}


@pytest.mark.parametrize("path", ["/health", "/ready", "/heartbeat", "/static/docs.js", "/swaggerui/swagger-ui.css"])
def test_probes_and_files_ask_nobody_what_they_take(client: FlaskClient, path: str):
    assert client.get(path, headers={"Accept": "video/mp4"}).status_code == 200


def test_where_nothing_is_the_answer_is_that(client: FlaskClient):
    assert client.get("/nowhere", headers={"Accept": "video/mp4"}).status_code == 404
    assert client.put("/products", headers={"Accept": "video/mp4"}).status_code == 405
    assert client.options("/products", headers={"Accept": "video/mp4"}).status_code == 200


def test_what_is_refused_has_no_effect(settings: Settings):
    client = as_admin(create_app(settings, door=FakeDoor()).test_client())
    made = {"title": "Never made"}
    assert client.post("/tasks", json=made, headers={"Accept": "text/html"}).status_code == 406
    assert client.get("/tasks?q=never").json["total"] == 0


def test_the_usual_is_not_even_parsed_and_the_rest_only_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    parsed = []
    monkeypatch.setattr(accept, "parse_options_header", lambda item: parsed.append(item) or (item, {}))
    for given in (None, "", "*/*", "application/json"):
        client.get("/products", headers={} if given is None else {"Accept": given})
    assert parsed == []
    for _ in range(3):
        client.get("/products", headers={"Accept": "application/json, x/once"})
    assert len(parsed) == 2


def test_the_document_says_so_of_every_address_but_the_probes(client: FlaskClient):
    paths = client.get("/swagger.json").json["paths"]
    methods = ("get", "post", "patch", "delete")
    told = {path for path, item in paths.items() if all("406" in item[each]["responses"] for each in methods if each in item)}
    assert set(paths) - told == {"/health", "/ready", "/heartbeat"}
