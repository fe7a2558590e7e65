from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import structlog
from flask import Flask
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from main.controller.middleware import load_args, look_first
from main.controller.parameters import NoParametersSchema, PagingSchema, ProductQuerySchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient


def refuse(schema: Any, query: str) -> dict[str, list[str]]:
    with Flask("x").test_request_context(f"/?{query}"), pytest.raises(ValidationError) as refused:
        load_args(schema)
    return refused.value.messages


def test_parameters_are_loaded_with_their_defaults():
    with Flask("x").test_request_context("/?page=2"):
        assert load_args(PagingSchema()) == {"page": 2, "per_page": 30}


def test_a_list_parameter_may_be_given_several_times():
    with Flask("x").test_request_context("/?brand=B&brand=A&facets=price&facets=brand,source&fields=name"):
        query, _ = load_args(ProductQuerySchema())
    assert (query.brand, query.facets, query.fields) == (("A", "B"), ("brand", "price", "source"), ("id", "name"))


def test_a_parameter_given_twice_is_refused_beside_all_other_mistakes():
    assert refuse(ProductQuerySchema(), "page=1&page=2&per_page=0&q=a&q=b") == {
        "page": ["may be given only once"],
        "q": ["may be given only once"],
        "per_page": ["must be a whole number from 1 to 100"],
    }


def test_an_unknown_parameter_given_twice_is_unknown():
    assert refuse(NoParametersSchema(), "x=1&x=2") == {"x": ["is unknown; there is: none"]}
    assert "there is: page, per_page, live, " in refuse(ProductQuerySchema(), "fields_=name")["fields_"][0]


@pytest.mark.parametrize("offered", ["abc", "A-1.b_2", "x" * 64])
@pytest.mark.parametrize("path", ["/health", "/products", "/products?page=0", "/nothing"])
def test_a_sane_request_id_is_kept(client: FlaskClient, path: str, offered: str):
    answer = client.get(path, headers={"X-Request-ID": offered})
    assert answer.headers["X-Request-ID"] == offered
    if answer.status_code >= 400:
        assert answer.json["request_id"] == offered


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "é", "<script>", '{"a":1}', "a,b", "a\tb"])
def test_any_other_request_id_is_replaced(client: FlaskClient, offered: str):
    answer = client.get("/nothing", headers={"X-Request-ID": offered})
    assert answer.headers["X-Request-ID"] == answer.json["request_id"] != offered
    assert len(answer.json["request_id"]) == 32


def test_every_request_has_an_id_of_its_own(client: FlaskClient):
    assert len({client.get("/health").headers["X-Request-ID"] for _ in range(5)}) == 5


def test_every_answer_says_that_its_type_is_not_to_be_guessed(client: FlaskClient):
    assert {client.get(path).headers["X-Content-Type-Options"] for path in ("/", "/nothing", "/docs")} == {"nosniff"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/products", 200),
        ("GET", "/products?page=0", 422),
        ("GET", "/nothing", 404),
        ("POST", "/products", 405),
        ("HEAD", "/", 200),
    ],
)
def test_one_line_is_logged_for_a_request(
    client: FlaskClient, log_lines: Callable[[], Any], method: str, path: str, status: int
):
    answer = client.open(path, method=method)
    [line] = log_lines()
    assert line["event"] == "request.served"
    assert (line["method"], line["path"], line["status"]) == (method, path.partition("?")[0], status)
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["duration_ms"] >= 0


@pytest.mark.parametrize("path", ["/health", "/ready", "/heartbeat"])
def test_probes_are_not_logged(client: FlaskClient, log_lines: Callable[[], Any], path: str):
    assert client.get(path).status_code == 200
    assert log_lines() == []


@pytest.mark.parametrize("evil", ["a%0Ab", "a%0D%0A{%22event%22:1}", "%1b[31m", "%00", "%E2%80%A8", "%ED%A0%80", "%ff"])
def test_no_path_can_forge_a_second_line(client: FlaskClient, log_lines: Callable[[], Any], evil: str):
    assert client.get(f"/products/{evil}").status_code == 404
    assert [line["event"] for line in log_lines()] == ["request.served"]


def test_the_request_id_is_forgotten_after_the_request(client: FlaskClient, log_lines: Callable[[], Any]):
    client.get("/products")
    structlog.get_logger().info("later")
    assert "request_id" not in log_lines()[-1]


def test_what_may_have_changed_is_looked_at_before_every_answer_but_the_pulse():
    app, looks = Flask("x", static_folder=None), []
    look_first(app, lambda: looks.append("look"))
    for path in ("/products", "/health", "/heartbeat", "/ready"):
        app.test_client().get(path)
    assert looks == ["look", "look"]


def test_a_part_of_the_query_can_be_loaded_alone():
    with Flask("x").test_request_context("/?page=2&other=1"):
        assert load_args(PagingSchema(), MultiDict([("page", "3")])) == {"page": 3, "per_page": 30}
