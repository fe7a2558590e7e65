"""Where reading takes a login, no public address tells a stranger which sources there are, or where they are."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from main.app import create_app
from main.settings.model import Auth, Console
from test.fakes import MemoryCatalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from werkzeug.test import TestResponse

    from main.settings import Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
QUESTIONS = ("", "?source=nobody", "?require=nobody&live=true", "?source=nobody&page=0&odd=1", "?name=" + "x" * 300)
STRANGERS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer nonsense"},
    {"X-API-Key": "aisle_nonsense"},
    {"Cookie": "token=nonsense"},
    {"Accept": BROWSER},
    {"Accept": "image/png", "Origin": "https://elsewhere.example"},
)
# Unlike any word of ours; those of the sample shops are examples in the document.
NAMES = {"lumen": "quagga", "depot": "tarpan", "parts": "aurochs"}
HOSTS = ("pictures-of.quagga.example", "127.0.0.1")


def rename(settings: Settings, auth: Auth) -> Settings:
    sources = tuple(replace(source, name=NAMES[source.name]) for source in settings.sources)
    return replace(settings, sources=sources, auth=auth, console=Console(image_hosts=HOSTS[:1]))


@pytest.fixture
def closed(unsynced: Settings) -> Flask:
    """Before the first sync of anything, which is when /ready has the most to tell."""
    return create_app(rename(unsynced, Auth()))


@pytest.fixture
def opened(unsynced: Settings) -> Flask:
    return create_app(rename(unsynced, Auth(anonymous="reader")))


def paths(app: Flask) -> list[str]:
    found = {re.sub("<int:.+?>", "1", re.sub("<(path|string):.+?>", "nobody", rule.rule)) for rule in app.url_map.iter_rules()}
    return sorted(found | {"/nowhere", "/static/docs.js", "/swaggerui/swagger-ui.css"})


def ask_everything(app: Flask) -> Iterator[tuple[str, TestResponse]]:
    client = app.test_client(use_cookies=False)
    for path in paths(app):
        for method in METHODS:
            for headers in STRANGERS:
                for question in QUESTIONS if method == "GET" else ("",):
                    sent: dict[str, Any] = {"json": {}} if method in {"POST", "PATCH"} else {}
                    yield (
                        f"{method} {path}{question} {headers}",
                        client.open(path + question, method=method, headers=headers, **sent),
                    )


def find_tales(answer: TestResponse) -> list[str]:
    """Give what an answer tells of the sources, wherever in it."""
    told = f"{answer.headers}\n{answer.get_data(as_text=True)}".lower()
    return [word for word in (*NAMES.values(), *HOSTS) if word in told]


def test_no_public_address_of_a_closed_aisle_tells_of_its_sources(closed: Flask):
    asked = {what: (answer.status_code, find_tales(answer)) for what, answer in ask_everything(closed)}
    assert {what: tales for what, (_, tales) in asked.items() if tales} == {}
    assert len(asked) > 1000
    assert {200, 401, 404, 405, 406, 422, 503} <= {status for status, _ in asked.values()}


def test_a_stranger_is_told_as_little_while_the_store_is_away(unsynced: Settings):
    store = MemoryCatalogue()
    app = create_app(rename(unsynced, Auth()), reader=store)
    store.down = True
    answer = app.test_client().get("/ready")
    assert (answer.status_code, find_tales(answer)) == (503, [])
    assert {"name": "catalogue", "up": False} in answer.json["components"]


def test_an_open_one_names_its_sources_to_who_writes_a_query(opened: Flask):
    document = opened.test_client().get("/swagger.json").json
    named = {each["name"]: each for each in document["paths"]["/products"]["get"]["parameters"]}
    for parameter in ("source", "require"):
        assert named[parameter]["items"]["enum"] == [*NAMES.values()]
        assert named[parameter]["x-example"] == ["quagga"]
    assert find_tales(opened.test_client().get("/products?source=nobody"))


def test_a_closed_one_gives_an_example_in_their_place(closed: Flask):
    document = closed.test_client().get("/swagger.json").json
    named = {each["name"]: each for each in document["paths"]["/products"]["get"]["parameters"]}
    for parameter in ("source", "require"):
        assert "enum" not in named[parameter]["items"]
        assert named[parameter]["x-example"] == ["lumen"]


def test_ready_tells_readers_what_it_waits_for_and_strangers_that_it_does(closed: Flask, opened: Flask):
    stranger, reader = closed.test_client().get("/ready"), opened.test_client().get("/ready")
    assert (stranger.status_code, reader.status_code) == (503, 503)
    assert reader.json["waiting"] == [*NAMES.values()]
    assert {"name", "kind", "up", "essential"} <= set(reader.json["components"][0])
    assert "waiting" not in stranger.json
    assert {frozenset(component) for component in stranger.json["components"]} == {frozenset({"name", "up"})}


def test_hosts_of_pictures_are_named_to_who_sees_the_pictures(closed: Flask, opened: Flask):
    login = closed.test_client().get("/console/login", headers={"Accept": BROWSER})
    assert "img-src 'self' https:" in login.headers["Content-Security-Policy"]
    assert find_tales(login) == []
    shown = opened.test_client().get("/console/sources", headers={"Accept": BROWSER})
    assert f"http://{HOSTS[0]}" in shown.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sources/{}"),
        ("PATCH", "/sources/{}"),
        ("DELETE", "/sources/{}/cache"),
        ("GET", "/sources/{}/quarantine"),
        ("POST", "/sources/{}/sync"),
        ("GET", "/products/{}:1"),
        ("GET", "/products?source={}"),
        ("GET", "/console/sources/{}"),
    ],
)
def test_a_stranger_who_guesses_a_name_is_not_told_that_it_is_one(closed: Flask, method: str, path: str):
    told = []
    for name in ("quagga", "nobody"):
        answer = closed.test_client().open(path.format(name), method=method, headers={"X-Request-ID": "same"}, json={})
        told.append(
            (answer.status_code, answer.get_data(as_text=True).replace(name, "..."), str(answer.headers).replace(name, "..."))
        )
    assert told[0] == told[1]
    assert told[0][0] in {401, 303}
