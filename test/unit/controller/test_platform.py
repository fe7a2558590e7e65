from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from main import __version__
from main.app import create_app
from main.service.errors import StoreDown
from test.conftest import PLATFORM
from test.fakes import FakeClock, MemoryCatalogue

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from main.settings import Settings

Fetch = Any

COMPONENTS = [
    {"name": "catalogue", "kind": "sqlite", "up": True, "essential": True},
    {"name": "accounts", "kind": "sqlite", "up": True, "essential": True},
    {"name": "door", "kind": "tokens", "up": True, "essential": True},
    {"name": "tasks", "kind": "sqlite", "up": True, "essential": False},
    {"name": "cache", "kind": "memory", "up": True, "essential": False},
    {"name": "live", "kind": "threads", "up": True, "essential": False},
]


def test_the_root_says_what_this_is_and_every_link_leads_somewhere(client: FlaskClient, fetch: Fetch):
    root = fetch("/")
    assert (root["name"], root["version"]) == ("aisle", __version__)
    assert root["description"] == "One product API over all our shops"
    assert {"docs", "swagger", "products", "sources"} <= set(root["links"])
    assert {client.get(link).status_code for link in root["links"].values()} == {200}


def test_health_touches_nothing(down_client: FlaskClient):
    answer = down_client.get("/health")
    assert (answer.status_code, answer.json) == (200, {"status": "UP"})


def test_heartbeat_gives_the_time(settings: Settings):
    clock = FakeClock(dt.datetime(2026, 11, 21, 9, 30, 0, 1500, dt.UTC))
    assert create_app(settings, clock=clock).test_client().get("/heartbeat").json == {"time": "2026-11-21T09:30:00.001Z"}


@pytest.mark.parametrize("path", ["/health", "/ready", "/heartbeat"])
def test_probes_take_whatever_parameters_a_platform_adds(client: FlaskClient, path: str):
    assert client.get(f"{path}?probe=1").status_code == 200


def test_ready_when_the_store_answers_and_every_source_had_its_first_try(fetch: Fetch):
    assert fetch("/ready") == {"ready": True, "components": COMPONENTS}


def test_not_ready_before_the_first_try_of_a_source_and_says_which(unsynced_client: FlaskClient):
    answer = unsynced_client.get("/ready")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json["waiting"] == ["lumen", "depot", "parts"]
    assert answer.json["components"][0]["up"] is True


def test_a_disabled_source_is_not_waited_for(unsynced: Settings):
    disabled = tuple(replace(source, enabled=False) for source in unsynced.sources)
    assert create_app(replace(unsynced, sources=disabled)).test_client().get("/ready").status_code == 200


def test_not_ready_while_the_store_is_down_and_says_why(down_client: FlaskClient):
    answer = down_client.get("/ready")
    assert answer.status_code == 503
    assert answer.json["components"] == [{**COMPONENTS[0], "up": False, "error": str(StoreDown())}, *COMPONENTS[1:]]
    assert answer.json["waiting"] == []


def test_status_describes_the_process(settings: Settings):
    clock = FakeClock()
    client = create_app(settings, clock=clock).test_client()
    clock.advance(86.4)
    client.get("/products")
    status = client.get("/status").json
    assert {key: status[key] for key in ("id", "name", "version", "start_time", "current_time", "uptime")} == {
        "id": "aisle",
        "name": "aisle",
        "version": __version__,
        "start_time": "2026-03-01T12:00:00.000Z",
        "current_time": "2026-03-01T12:01:26.400Z",
        "uptime": 86.4,
    }
    assert status["components"] == COMPONENTS
    assert all(count >= 0 for count in status["counters"].values())
    timing = status["timings"]["SearchService.find"]
    assert timing["count"] >= 1
    assert 0 <= timing["mean_ms"] <= timing["max_ms"]


def test_status_answers_while_the_store_is_down(down_client: FlaskClient):
    assert down_client.get("/status").json["components"][0]["up"] is False


def test_hello_shows_what_the_platform_set_and_masks_the_password(client: FlaskClient):
    answer = client.get("/hello")
    assert answer.json == {
        "platformUrl": PLATFORM["C8Y_BASEURL"],
        "mqttPlatformUrl": PLATFORM["C8Y_BASEURL_MQTT"],
        "tenant": "t100",
        "user": "servicebootstrap_aisle",
        "password": "***",
        "microserviceIsolation": "MULTI_TENANT",
    }
    assert PLATFORM["C8Y_BOOTSTRAP_PASSWORD"] not in answer.text


def test_hello_is_null_where_the_platform_set_nothing(unsynced_client: FlaskClient):
    found = unsynced_client.get("/hello").json
    assert set(found) == {"platformUrl", "mqttPlatformUrl", "tenant", "user", "password", "microserviceIsolation"}
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("parameters", "greeting"),
    [
        ({}, "Hello, World!"),
        ({"name": "John"}, "Hello, John!"),
        ({"name": ""}, "Hello, World!"),
        ({"name": 'Zoë "<b>"'}, 'Hello, Zoë "<b>"!'),
    ],
)
def test_whoever_is_named_is_greeted_and_else_the_configured_default(fetch: Fetch, parameters: dict[str, str], greeting: str):
    assert fetch("/hello_world/greeting", **parameters) == greeting


def test_the_default_name_comes_from_the_settings(settings: Settings):
    ada = replace(settings, greeting=replace(settings.greeting, default_name="Ada"))
    assert create_app(ada).test_client().get("/hello_world/greeting").json == "Hello, Ada!"


def test_the_small_ones_need_no_catalogue(settings: Settings):
    client = create_app(settings, reader=MemoryCatalogue()).test_client()
    paths = ("/", "/health", "/heartbeat", "/status", "/hello", "/hello_world/greeting", "/docs", "/swagger.json")
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
