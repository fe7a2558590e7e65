from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from test.unit.controller.guarded import Guarded

if TYPE_CHECKING:
    from main.settings import Settings

PAGE = "https://console.example"
ASKS = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
GIVEN = [
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Credentials",
    "Access-Control-Expose-Headers",
]


@pytest.fixture(scope="module")
def off(settings: Settings) -> Guarded:
    return Guarded(settings)


@pytest.fixture(scope="module")
def listed(settings: Settings) -> Guarded:
    return Guarded(settings, origins=(PAGE, "http://localhost:3000"))


def test_without_listed_origins_no_page_elsewhere_may_read_anything(off: Guarded):
    for method, headers in (("GET", {}), ("OPTIONS", ASKS)):
        answer = off.ask(method, "/products", headers={"Origin": PAGE, **headers})
        assert not set(GIVEN) & set(answer.headers.keys())
        assert "Origin" not in answer.vary


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
@pytest.mark.parametrize(("token", "status"), [("reader-token", 200), (None, 401)])
def test_a_listed_page_may_read_answers_errors_included(listed: Guarded, origin: str, token: str | None, status: int):
    answer = listed.ask("GET", "/products", token, headers={"Origin": origin})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.vary


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
def test_a_preflight_of_a_listed_page_is_answered_without_credentials(listed: Guarded, origin: str):
    answer = listed.ask("OPTIONS", "/sources/lumen", headers={"Origin": origin, **ASKS})
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Idempotency-Key", "X-API-Key"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://console.example.evil.example",
        "https://evil.example",
        "http://console.example",
        "https://console.example:8443",
        "https://CONSOLE.example",
        "https://console.example/",
        "null",
        "*",
        "",
    ],
)
def test_any_other_origin_is_not_let_in(listed: Guarded, origin: str):
    for method, headers in (("GET", {}), ("OPTIONS", ASKS)):
        answer = listed.ask(method, "/products", headers={"Origin": origin, **headers})
        assert not set(GIVEN) & set(answer.headers.keys())
        assert "Origin" in answer.vary


def test_a_plain_options_still_lists_the_methods(listed: Guarded):
    answer = listed.ask("OPTIONS", "/products", headers={"Origin": PAGE})
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_what_is_no_preflight_is_served_whatever_else_it_says(listed: Guarded):
    answer = listed.ask("GET", "/products", "reader-token", headers={"Origin": PAGE, **ASKS})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)


def test_a_preflight_may_be_remembered_for_ten_minutes_and_names_all_that_a_page_may_send_and_read(listed: Guarded):
    told = listed.ask("OPTIONS", "/sources/lumen", headers={"Origin": PAGE, **ASKS}).headers
    assert told["Access-Control-Max-Age"] == "600"
    assert set(told["Access-Control-Allow-Methods"].split(", ")) >= {"GET", "HEAD", "POST", "PATCH", "DELETE"}
    assert set(told["Access-Control-Allow-Headers"].split(", ")) == {
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "X-API-Key",
        "X-CSRF-Token",
        "X-Request-ID",
    }
    read = listed.ask("GET", "/products", "reader-token", headers={"Origin": PAGE}).headers["Access-Control-Expose-Headers"]
    assert {"ETag", "Link", "Location", "Retry-After", "X-Request-ID", "X-Total-Count"} <= set(read.split(", "))
