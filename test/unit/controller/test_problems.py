from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from flask import Response, abort, got_request_exception
from werkzeug.exceptions import HTTPException, ImATeapot, RequestEntityTooLarge, TooManyRequests, Unauthorized
from werkzeug.routing import RequestRedirect
from werkzeug.test import EnvironBuilder, run_wsgi_app

from main.controller.definitions import DEFINITIONS
from main.controller.problems import invalid, problem, render
from test.unit.controller.documented import find_faults
from test.unit.controller.readers import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

MARK = "x5up3rs3cr3tx"


class Failure(NamedTuple):
    """A request that fails, over which catalogue, and how."""

    over: str
    method: str
    url: str
    status: int
    headers: tuple[str, ...] = ()


ALLOWED = ("Allow",)
LATER = ("Retry-After",)
FAILURES = [
    Failure("synced", "GET", "/nothing", 404),
    Failure("synced", "POST", "/nothing", 404),
    Failure("synced", "GET", "/products/", 404),
    Failure("synced", "GET", "/products/lumen:0", 404),
    Failure("synced", "GET", "/products/%00", 404),
    Failure("synced", "GET", "/products/%ED%A0%80", 404),
    Failure("synced", "GET", f"/products/{'x' * 5000}", 404),
    Failure("synced", "GET", "/sources/nobody", 404),
    Failure("synced", "GET", "/sources/nobody/quarantine", 404),
    Failure("synced", "GET", "/sources/", 404),
    Failure("synced", "GET", "/swaggerui/nothing.js", 404),
    Failure("synced", "GET", "/swaggerui/../app.py", 404),
    Failure("synced", "GET", "/docs/", 404),
    *(
        Failure("synced", method, url, 405, ALLOWED)
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
        for url in ("/products", "/products/lumen:1", "/sources", "/docs", "/swagger.json", "/", "/health")
    ),
    *(
        Failure("synced", "GET", f"{path}?{query}", 422)
        for path in (
            "/",
            "/products",
            "/products/lumen:1",
            "/sources",
            "/sources/lumen",
            "/status",
            "/hello",
            "/hello_world/greeting",
        )
        for query in ("unknown=1", "%00=1", "%ED%A0%80=1", "%F0%9F%98%80[$ne]=1")
    ),
    Failure("synced", "GET", "/sources/lumen/quarantine?page=0", 422),
    Failure("synced", "GET", "/products?source=nobody", 422),
    Failure("synced", "GET", "/products?page=1&page=1", 422),
    Failure("unsynced", "GET", "/products", 503, LATER),
    Failure("unsynced", "HEAD", "/products", 503, LATER),
    Failure("unsynced", "GET", "/ready", 503, LATER),
    Failure("unsynced", "GET", "/products/lumen:1", 404),
    *(
        Failure("down", "GET", url, 503, LATER)
        for url in ("/products", "/products/lumen:1", "/sources", "/sources/lumen", "/sources/lumen/quarantine", "/ready")
    ),
    *(
        Failure(over, "GET", url, 500)
        for over in ("broken", "broken-testing")
        for url in (
            "/products",
            "/products/lumen:1",
            "/sources",
            "/sources/lumen",
            "/sources/lumen/quarantine",
            "/ready",
            "/status",
        )
    ),
]


@pytest.fixture
def clients(
    client: FlaskClient, unsynced_client: FlaskClient, down_client: FlaskClient, broken_app: Flask
) -> Callable[[str], FlaskClient]:
    def choose(over: str) -> FlaskClient:
        broken_app.testing = over == "broken-testing"
        known = {"synced": client, "unsynced": unsynced_client, "down": down_client}
        return known.get(over) or broken_app.test_client()

    return choose


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: f"{failure.over} {failure.method} {failure.url[:60]}")
def test_every_error_has_the_one_shape(clients: Callable[[str], FlaskClient], failure: Failure):
    answer = clients(failure.over).open(failure.url, method=failure.method)
    assert answer.status_code == failure.status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert [header for header in failure.headers if not answer.headers.get(header)] == []
    if failure.method == "HEAD":
        assert answer.data == b""
        return
    body = answer.json
    assert list(body)[:6] == ["type", "title", "status", "detail", "instance", "request_id"]
    assert (body["type"], body["status"], body["title"]) == ("about:blank", failure.status, HTTPStatus(failure.status).phrase)
    assert body["request_id"] == answer.headers["X-Request-ID"]
    kind = {422: "Invalid", 503: "NotReady" if failure.url == "/ready" else "Unavailable"}.get(failure.status, "Problem")
    assert find_faults({"$ref": f"#/definitions/{kind}"}, body) == []
    assert set(DEFINITIONS[kind]["required"]) <= set(body)
    for leak in ("Traceback", "ZeroDivisionError", "sqlite", "werkzeug", ".py", SECRET):
        assert leak not in answer.text.replace('"kind":"sqlite"', "").replace("/app.py", "")


@pytest.mark.parametrize(
    "url",
    [
        *(f"/products?{name}={MARK}!" for name in ("page", "per_page", "min_price", "max_price", "currency", "min_rating", "sort", "gtin")),
        *(f"/products?{name}={MARK}" for name in ("source", "availability", "fields", "facets", "unknown")),
        f"/products?q={MARK * 20}",
        f"/products?brand={MARK}%0A",
        f"/products?page=1&page={MARK}",
        f"/hello_world/greeting?name={MARK * 20}",
        f"/sources/lumen/quarantine?page={MARK}",
        f"/status?password={MARK}",
    ],
)  # fmt: skip
def test_what_was_sent_is_not_sent_back(client: FlaskClient, url: str):
    asked, refused = (
        client.get(url, headers={"X-Request-ID": f"{MARK}!", **credentials})
        for credentials in ({}, {"Authorization": f"Bearer {MARK}", "Cookie": f"token={MARK}", "X-API-Key": MARK})
    )
    assert asked.status_code == 422
    assert refused.status_code == (422 if url.startswith("/hello_world") else 401)
    for answer in (asked, refused):
        assert MARK not in answer.text
        assert MARK not in str(answer.headers)


def test_an_unknown_parameter_is_named_but_not_at_any_length(client: FlaskClient):
    errors = client.get(f"/products?{'x' * 5000}=1").json["errors"]
    assert list(errors) == ["x" * 100]
    assert errors["x" * 100][0].startswith("is unknown; there is: page, ")


def test_several_mistakes_are_told_at_once(client: FlaskClient):
    wrong = "page=0&per_page=101&sort=up&min_rating=9&fields=f&facets=f&availability=a&currency=eur&min_price=NaN&max_price=-1&gtin=1"
    errors = client.get(f"/products?{wrong}&brand=&q=!&unknown=1&page=2").json["errors"]
    assert set(errors) == {*(pair.partition("=")[0] for pair in wrong.split("&")), "brand", "q", "unknown"}
    assert errors["page"] == ["must be a whole number from 1 to 100000"]
    assert all(message and isinstance(message, str) for messages in errors.values() for message in messages)


def test_a_405_lists_the_methods_there_are(client: FlaskClient):
    answer = client.delete("/products")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert set(client.options("/products").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_before_the_first_sync_each_source_says_how_it_stands(unsynced_client: FlaskClient):
    answer = unsynced_client.get("/products")
    never = {"state": "stale", "synced_at": None, "products": 0, "rejected": 0}
    assert answer.json["sources"] == dict.fromkeys(("lumen", "depot", "parts"), never)
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("testing", [False, True])
def test_a_defect_is_logged_once_with_its_trace_and_the_request_id(
    broken_app: Flask, log_lines: Callable[[], Any], *, testing: bool
):
    seen = []
    broken_app.testing = testing
    with got_request_exception.connected_to(lambda _sender, exception: seen.append(exception), broken_app):
        answer = broken_app.test_client().get("/products", headers={"X-Request-ID": "mine"})
    assert answer.status_code == 500
    assert [type(error) for error in seen] == [ZeroDivisionError]
    broke, served = (line for line in log_lines() if line["event"].startswith("request."))
    assert (broke["event"], broke["level"], broke["path"], broke["request_id"]) == (
        "request.broke",
        "error",
        "/products",
        "mine",
    )
    assert SECRET in broke["exception"]
    assert broke["exception"].count("Traceback") == 1
    assert (served["event"], served["status"], served["request_id"]) == ("request.served", 500, "mine")
    assert "mine" in answer.text


def test_a_defect_outside_the_api_looks_the_same(broken_app: Flask, log_lines: Callable[[], Any]):
    broken_app.add_url_rule("/plain", view_func=lambda: 1 // 0)
    answer = broken_app.test_client().get("/plain")
    assert (answer.status_code, answer.mimetype, answer.json["status"]) == (500, "application/problem+json", 500)
    assert [line["event"] for line in log_lines()][-2:] == ["request.broke", "request.served"]


def test_what_a_caller_does_wrong_is_no_exception_to_us(app: Flask, client: FlaskClient, log_lines: Callable[[], Any]):
    seen = []
    with got_request_exception.connected_to(lambda _sender, exception: seen.append(exception), app):
        for url in ("/nothing", "/products?page=0", "/sources/nobody"):
            client.get(url)
    assert seen == []
    assert {line["level"] for line in log_lines()} == {"info"}


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (Unauthorized(www_authenticate=None), 401, None),
        (RequestEntityTooLarge(), 413, None),
        (TooManyRequests(retry_after=7), 429, ("Retry-After", "7")),
        (ImATeapot(), 418, None),
        (RequestRedirect("/elsewhere"), 308, ("Location", "/elsewhere")),
    ],
)
def test_any_http_error_is_told_as_a_problem(app: Flask, error: Exception, status: int, header: tuple[str, str] | None):
    with app.test_request_context("/products"):
        answer = render(error)
    assert (answer.status_code, answer.mimetype, answer.json["status"]) == (status, "application/problem+json", status)
    assert answer.json["detail"]
    if header:
        assert answer.headers[header[0]] == header[1]


def test_a_response_that_was_aborted_with_is_the_answer(app: Flask):
    with pytest.raises(HTTPException) as raised:
        abort(Response("as it is", 299))
    with app.test_request_context("/"):
        assert render(raised.value).data == b"as it is"


def test_mistakes_inside_a_nested_field_are_told_under_its_name(app: Flask):
    with app.test_request_context("/"):
        errors = invalid({"price": {"amount": ["is wrong"], "currency": ["Unknown field."]}, "tags": {0: ["is empty"]}}).json[
            "errors"
        ]
    assert errors == {"price": ["is wrong", "is unknown"], "tags": ["is empty"]}


def test_what_is_not_known_is_left_out_of_a_problem(app: Flask):
    with app.test_request_context("/a b/ü"):
        body = problem(HTTPStatus.CONFLICT, "Twice.", extra=None, more=[1]).json
    assert body == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Twice.",
        "instance": "/a%20b/%C3%BC",
        "more": [1],
    }


@pytest.mark.parametrize("raw", ["/products/\xff\xfe", "/\xed\xa0\x80", "/products/a\x00b", "/sources/\xc0\xaf"])
def test_an_address_that_no_client_would_send_is_told_as_a_problem(app: Flask, raw: str):
    environ = EnvironBuilder("/").get_environ()
    environ["PATH_INFO"] = raw
    _, status, headers = run_wsgi_app(app.wsgi_app, environ)
    assert (status, headers["Content-Type"]) == ("404 NOT FOUND", "application/problem+json")


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"x{n}=1" for n in range(500)),
        "q=" + "a" * 1_000_000,
        "per_page=1000000000",
        "page=" + "9" * 100_000,
        "&".join("brand=b" for _ in range(10_000)),
        "min_rating=" + "1" * 100_000,
        "fields=" + "name," * 100_000 + "x",
    ],
    ids=["500-keys", "1MB-word", "per-page", "huge-page", "10000-brands", "huge-rating", "100000-fields"],
)
def test_what_would_cost_much_is_refused_in_few_words(client: FlaskClient, query: str):
    answer = client.get("/products", query_string=query)
    assert answer.status_code == 422
    assert len(answer.data) < 100_000
