from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from main.app import create_app
from main.controller import limits, middleware
from main.controller.limits import caller_key, client_address
from main.service.errors import Unauthenticated
from main.service.limits import RateLimit
from main.service.model import NOBODY, Caller, CallerKind, Policy, Rate, Role
from main.settings import model
from test.fakes import FakeClock, MemoryCounters
from test.unit.controller.documented import assert_as_documented

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from main.settings import Settings

ADA = Caller(name="ada", kind=CallerKind.ACCOUNT, role=Role.READER)
RATE = Rate(5, timedelta(minutes=1))


def limited(settings: Settings, data: Any, **given: Any) -> FlaskClient:
    chosen = replace(settings, limits=model.Limits(api=RATE), data=data, **given)
    return create_app(chosen).test_client()


@pytest.fixture
def client(settings: Settings, tmp_path: Any) -> FlaskClient:
    return limited(settings, tmp_path)


def parse_fields(answer: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Read both fields as structured ones: a name in quotes, and whole numbers by key (RFC 9651)."""
    found = []
    for name in ("RateLimit", "RateLimit-Policy"):
        item, *parameters = answer.headers[name].split(";")
        assert item == '"api"'
        found.append({key: int(value) for key, value in (part.split("=") for part in parameters)})
    return found[0], found[1]


def test_every_answer_says_how_much_is_left(client: FlaskClient):
    for used, path in enumerate(["/", "/sources", "/nowhere", "/products?x=1"], start=1):
        left, policy = parse_fields(client.get(path))
        assert policy == {"q": 5, "w": 60}
        assert left["r"] == 5 - used
        assert 1 <= left["t"] <= 60


def test_beyond_the_limit_the_answer_is_429_and_says_when_to_come_back(client: FlaskClient):
    document = client.get("/swagger.json").json
    for _ in range(4):
        client.get("/status")
    for _ in range(3):
        answer = client.get("/status")
        assert_as_documented(document, "/status", answer)
        assert (answer.status_code, answer.json["status"], answer.mimetype) == (429, 429, "application/problem+json")
        assert answer.json["detail"] == "Too many requests; the RateLimit-Policy header says how many there may be."
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert parse_fields(answer)[0]["r"] == 0
        assert answer.headers["X-Request-ID"] == answer.json["request_id"]


def test_probes_are_not_counted(client: FlaskClient):
    for path in ["/health", "/ready", "/heartbeat"] * 5:
        answer = client.get(path)
        assert answer.status_code in {200, 503}
        assert "RateLimit" not in answer.headers


def test_workers_of_one_data_folder_count_together(settings: Settings, tmp_path: Any):
    workers = [limited(settings, tmp_path) for _ in range(3)]
    statuses = [workers[number % 3].get("/status").status_code for number in range(9)]
    assert statuses == [200] * 5 + [429] * 4


def test_switched_off_nothing_is_counted_and_nothing_told(settings: Settings, tmp_path: Any):
    client = create_app(replace(settings, limits=model.Limits(api=None), data=tmp_path)).test_client()
    answers = [client.get("/status") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_a_storage_that_is_broken_lets_everybody_through(settings: Settings, tmp_path: Any):
    client = limited(settings, tmp_path)
    (tmp_path / "limits").write_text("in the way")
    answers = [client.get("/status") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert parse_fields(answers[-1])[0]["r"] == 5


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP"],
)
def test_what_a_client_says_about_its_address_is_not_believed(settings: Settings, tmp_path: Any, name: str):
    client = limited(settings, tmp_path, server=model.Server(proxies=0))
    spoofs = [f"for=192.0.2.{number}" if name == "Forwarded" else f"192.0.2.{number}" for number in range(50)]
    statuses = [client.get("/status", headers={name: spoof}).status_code for spoof in spoofs]
    assert statuses == [200] * 5 + [429] * 45


def test_of_what_a_proxy_passes_on_only_its_own_word_is_believed(settings: Settings, tmp_path: Any):
    client = limited(settings, tmp_path, server=model.Server(proxies=1))
    told = [client.get("/status", headers={"X-Forwarded-For": f"192.0.2.{number}, 198.51.100.7"}) for number in range(50)]
    assert [answer.status_code for answer in told] == [200] * 5 + [429] * 45
    assert client.get("/status", headers={"X-Forwarded-For": "198.51.100.7, 192.0.2.1"}).status_code == 200


@pytest.mark.parametrize(
    ("peer", "named"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("no address", "unknown"),
    ],
)
def test_an_address_is_named_by_whose_it_is(peer: str, named: str):
    with Flask("x").test_request_context(environ_overrides={"REMOTE_ADDR": peer}):
        assert client_address() == named


def wrong_token() -> Caller:
    raise Unauthenticated("No.", "invalid_token")


def test_callers_are_counted_by_name_and_strangers_by_address():
    with Flask("x").test_request_context(environ_overrides={"REMOTE_ADDR": "192.0.2.1"}):
        assert caller_key(lambda: ADA) == "account:ada"
        assert caller_key(lambda: NOBODY) == caller_key(wrong_token) == "address:192.0.2.1"


def test_two_callers_of_one_address_are_counted_apart():
    app, asking = Flask("x"), [ADA]
    middleware.install(app)
    limits.install(app, RateLimit(MemoryCounters(FakeClock()), Policy("api", RATE)), lambda: asking[0])
    app.add_url_rule("/", view_func=lambda: "")
    client = app.test_client()
    assert [client.get("/").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    asking[0] = replace(ADA, name="bob")
    assert client.get("/").status_code == 200


def test_a_refused_request_has_its_line_in_the_log(client: FlaskClient, log_lines: Any):
    for _ in range(6):
        client.get("/status")
    assert [line["status"] for line in log_lines() if line["event"] == "request.served"] == [200] * 5 + [429]
