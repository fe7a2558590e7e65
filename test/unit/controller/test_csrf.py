from __future__ import annotations

import base64
import hmac
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from main.controller.csrf import CsrfGuard, comes_from_here
from main.service.errors import Forbidden
from test.fakes import FakeDoor
from test.unit.controller.guarded import PAGE, Guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from main.settings import Settings

KEY = b"k" * 32
COOKIE = "token=admin-token"
ORIGINS: dict[str, dict[str, str]] = {
    "our own": PAGE,
    "none told": {},
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "a sibling": {"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost"},
}
TYPES = ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]


def flip(text: str) -> str:
    return text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1]


# Each makes of a right token, and of one of another login, what is no proof.
FAULTS: dict[str, Callable[[str, str], str | None]] = {
    "none": lambda _right, _other: None,
    "empty": lambda _right, _other: "",
    "another login's": lambda _right, other: other,
    "changed": lambda right, _other: flip(right),
    "cut": lambda right, _other: right[:-4],
    "unsigned": lambda right, _other: right.partition(".")[0] + ".",
}


@pytest.fixture(scope="module")
def guarded(settings: Settings) -> Guarded:
    return Guarded(settings)


def changing(guarded: Guarded) -> list[object]:
    return [call for call in guarded.calls() if call.changes and call.role != "public"]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_faulty_proof_lets_a_cookie_change_anything(guarded: Guarded, fault: str, origin: str, kind: str):
    guarded.reset()
    right, other = (guarded.prove(f"token={who}-token")["X-CSRF-Token"] for who in ("admin", "editor"))
    proof = FAULTS[fault](right, other)
    headers = {"Cookie": COOKIE, **ORIGINS[origin], **({} if proof is None else {"X-CSRF-Token": proof})}
    calls = changing(guarded)
    assert len(calls) >= 4
    before = (dict(guarded.book.states), dict(guarded.store.records))
    for call in calls:
        answer = guarded.ask(call.method.upper(), call.url, headers=headers, data=b'{"enabled": false}', content_type=kind)
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json"), (call, answer.status_code)
    assert before == (guarded.book.states, guarded.store.records)
    assert guarded.ask("GET", "/auth/me", "admin-token").status_code == 200


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("origin", [name for name in ORIGINS if name != "our own"])
def test_a_right_token_from_elsewhere_changes_nothing_either(guarded: Guarded, origin: str, kind: str):
    guarded.reset()
    token = guarded.prove(COOKIE)["X-CSRF-Token"]
    headers = {"Cookie": COOKIE, "X-CSRF-Token": token, **ORIGINS[origin]}
    for call in changing(guarded):
        assert guarded.ask(call.method.upper(), call.url, headers=headers, data=b"{}", content_type=kind).status_code == 403


def test_with_the_proof_every_change_goes_through_and_without_a_cookie_none_is_needed(guarded: Guarded):
    for headers in (None, {"Authorization": "Bearer admin-token"}, {"Authorization": "Bearer admin-token", "Cookie": COOKIE}):
        for call in changing(guarded):
            guarded.reset()
            assert 200 <= guarded.send(call, headers or guarded.prove(COOKIE)).status_code < 300, call


def test_a_key_needs_no_proof(guarded: Guarded):
    guarded.reset()
    assert guarded.ask("POST", "/sources/lumen/sync", headers={"X-API-Key": "admin-key"}).status_code == 202


def test_reading_changes_nothing_and_needs_no_proof(guarded: Guarded):
    guarded.reset()
    before = (dict(guarded.book.states), dict(guarded.store.records), guarded.store.version, dict(guarded.door.callers))
    for call in guarded.calls():
        if not call.changes:
            headers = {"Cookie": COOKIE, **ORIGINS["another site"]}
            assert guarded.ask(call.method.upper(), call.url, headers=headers).status_code == 200, call
    assert before == (guarded.book.states, guarded.store.records, guarded.store.version, guarded.door.callers)


def test_over_https_the_proof_is_held_against_the_https_origin(guarded: Guarded):
    guarded.reset()
    base = "https://localhost"
    proof = guarded.prove("__Host-token=admin-token", base)
    assert guarded.ask("POST", "/sources/lumen/sync", headers=proof, base_url=base).status_code == 202
    downgraded = {**proof, "Origin": "http://localhost"}
    assert guarded.ask("POST", "/sources/lumen/sync", headers=downgraded, base_url=base).status_code == 403


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Origin": "http://aisle.example:8080"}, True),
        ({"Origin": "http://AISLE.example:8080"}, True),
        ({"Origin": "https://aisle.example:8080"}, False),
        ({"Origin": "http://aisle.example"}, False),
        ({"Origin": "http://aisle.example:8080.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://aisle.example:8080"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
    ],
)
def test_a_call_comes_from_here_when_all_the_browser_says_of_it_agrees(headers: dict[str, str], *, ours: bool):
    with Flask("x").test_request_context("/", base_url="http://aisle.example:8080", headers=headers):
        assert comes_from_here() is ours


def test_a_token_holds_for_its_login_and_its_key_only():
    admin, editor = FakeDoor().callers["admin-token"], FakeDoor().callers["editor-token"]
    app, guard = Flask("x"), CsrfGuard(KEY)
    token = guard.make(admin)
    assert token != guard.make(admin)

    def passes(checker: CsrfGuard, who: object) -> bool:
        with app.test_request_context("/", method="POST", headers={**PAGE, "X-CSRF-Token": token}):
            try:
                checker.check(who)
            except Forbidden:
                return False
            return True

    assert passes(guard, admin)
    assert passes(CsrfGuard(KEY), admin)
    assert not passes(guard, editor)
    assert not passes(CsrfGuard(b"x" * 32), admin)


@pytest.mark.parametrize(("method", "needs_proof"), [("GET", False), ("HEAD", False), ("OPTIONS", False), ("POST", True)])
def test_what_changes_nothing_needs_no_proof(method: str, needs_proof: bool):  # noqa: FBT001 - one of the parameters
    with Flask("x").test_request_context(method=method), pytest.raises(Forbidden) if needs_proof else nullcontext():
        CsrfGuard(KEY).check(FakeDoor().callers["admin-token"])


@pytest.mark.parametrize("session", ["1-1-abc", None])
def test_a_token_is_a_salt_and_what_the_key_makes_of_it_the_caller_and_the_login(session: str | None):
    admin = replace(FakeDoor().callers["admin-token"], session=session)
    salt, signature = CsrfGuard(KEY).make(admin).split(".")
    assert (len(base64.urlsafe_b64decode(salt)), "=" in signature) == (12, False)
    signed = f"aisle-csrf\0{salt}\0{admin.key}\0{session or ''}".encode()
    assert base64.urlsafe_b64decode(f"{signature}=") == hmac.digest(KEY, signed, "sha256")


def test_a_token_of_one_login_does_not_hold_for_another_of_the_same_caller():
    first, second, none = (replace(FakeDoor().callers["admin-token"], session=each) for each in ("1-1-a", "1-1-b", None))
    guard = CsrfGuard(KEY)
    for other in (second, none):
        headers = {**PAGE, "X-CSRF-Token": guard.make(first)}
        with Flask("x").test_request_context("/", method="POST", headers=headers), pytest.raises(Forbidden):
            guard.check(other)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (PAGE, r"^This call changes something: with a browser's login it needs the X-CSRF-Token that GET /auth/me gives\.$"),
        ({}, r"^This call changes something and comes from another site; a browser's login does not allow that\.$"),
    ],
)
def test_whoever_is_refused_is_told_what_is_missing(headers: dict[str, str], told: str):
    with Flask("x").test_request_context("/", method="POST", headers=headers), pytest.raises(Forbidden, match=told):
        CsrfGuard(KEY).check(FakeDoor().callers["admin-token"])


def test_a_token_of_odd_letters_is_no_token(guarded: Guarded):
    guarded.reset()
    for token in ("é.é", "..", "a.b.c", "\xff"):
        headers = {**guarded.prove(COOKIE), "X-CSRF-Token": token}
        assert guarded.ask("POST", "/sources/lumen/sync", headers=headers).status_code == 403


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match=r"^The key has 31 bytes; it needs 32\.$"):
        CsrfGuard(b"k" * 31)


# forms of our own pages


def test_a_form_brings_its_proof_in_a_field(guarded: Guarded):
    guarded.reset()
    proof = guarded.prove(COOKIE)
    token = proof.pop("X-CSRF-Token")
    url, kind = "/console/sources/lumen", {"content_type": TYPES[2]}
    wrong = guarded.ask("POST", url, headers=proof, data={"csrf_token": flip(token), "sync": "1"}, **kind)
    assert (wrong.status_code, wrong.mimetype) == (403, "text/html")
    assert guarded.ask("POST", url, headers=proof, data={"csrf_token": token, "sync": "1"}, **kind).status_code == 303
    elsewhere = {**proof, "Origin": "null"}
    assert guarded.ask("POST", url, headers=elsewhere, data={"csrf_token": token, "sync": "1"}, **kind).status_code == 403


def test_a_form_is_no_body_for_the_api_even_with_its_proof(guarded: Guarded):
    guarded.reset()
    proof = guarded.prove(COOKIE)
    token = proof.pop("X-CSRF-Token")
    for data in ({"csrf_token": token}, {"csrf_token": token, "enabled": "false"}):
        answer = guarded.ask("PATCH", "/sources/lumen", headers=proof, data=data, content_type=TYPES[2])
        assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")
    assert guarded.ask("POST", "/sources/lumen/sync", headers=proof, data=data, content_type=TYPES[2]).status_code == 415


def test_a_form_that_is_too_large_is_not_read(guarded: Guarded):
    guarded.reset()
    proof = guarded.prove(COOKIE)
    data = {"csrf_token": proof.pop("X-CSRF-Token"), "x": "x" * 70_000}
    answer = guarded.ask("POST", "/console/sources/lumen", headers=proof, data=data, content_type=TYPES[2])
    assert answer.status_code == 413
