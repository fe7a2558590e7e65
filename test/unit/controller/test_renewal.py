from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from main.service.errors import StoreDown
from main.service.model import TokenPair
from test.unit.controller.guarded import Guarded

if TYPE_CHECKING:
    from main.settings import Settings

COOKIE = {"Cookie": "token=editor-token"}
NEXT = "token=next-token; Max-Age=900; HttpOnly; Path=/; SameSite=Strict"


@pytest.fixture
def guarded(settings: Settings) -> Guarded:
    guarded = Guarded(settings)
    guarded.door.renewals["s-editor"] = TokenPair("next-token", 900, cookie="next-token")
    return guarded


def test_an_answer_to_a_cookie_that_is_due_brings_the_next_one(guarded: Guarded):
    answer = guarded.ask("GET", "/products", headers=COOKIE)
    (kept,) = answer.headers.getlist("Set-Cookie")
    assert sorted(kept.split("; ")[2:]) == sorted(["Max-Age=900", "HttpOnly", "Path=/", "SameSite=Strict"])
    assert kept.startswith("token=next-token; ")
    assert {word.strip() for word in answer.headers["Cache-Control"].split(",")} & {"private", "no-store"}


def test_over_https_it_is_bound_to_this_host(guarded: Guarded):
    answer = guarded.ask("GET", "/products", headers={"Cookie": "__Host-token=editor-token"}, base_url="https://localhost")
    (kept,) = answer.headers.getlist("Set-Cookie")
    assert kept.startswith("__Host-token=next-token; ")
    assert "Secure" in kept


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/products", {"Cookie": "token=reader-token"}),  # it is not due
        ("/products", {"Authorization": "Bearer editor-token"}),
        ("/products", {**COOKIE, "Authorization": "Bearer editor-token"}),
        ("/products", {"Cookie": "token=gone-token"}),
        ("/products", {}),
        ("/health", COOKIE),  # nobody asks there who it is
    ],
)
def test_nothing_else_does(guarded: Guarded, path: str, headers: dict[str, str]):
    assert "Set-Cookie" not in guarded.ask("GET", path, headers=headers).headers


def test_a_call_that_is_refused_for_another_reason_is_use_too(guarded: Guarded):
    answer = guarded.ask("GET", "/products?colour=red", headers=COOKIE)
    assert answer.status_code == 422
    assert "token=next-token" in answer.headers["Set-Cookie"]


def test_a_logout_is_not_undone(guarded: Guarded):
    answer = guarded.ask("DELETE", "/auth", headers=guarded.prove("token=editor-token"))
    (kept,) = answer.headers.getlist("Set-Cookie")
    assert "Max-Age=0" in kept


def test_while_the_store_is_away_the_answer_is_good_without(guarded: Guarded, log_lines):
    guarded.door.renewals["s-editor"] = StoreDown()
    answer = guarded.ask("GET", "/products", headers=COOKIE)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert [line["event"] for line in log_lines() if line["level"] == "warning"] == ["session.not_renewed"]
