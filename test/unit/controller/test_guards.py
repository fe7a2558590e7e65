from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask

from main.controller.guards import Gate, admin, attach_gate, caller, editor, public, reader, require
from main.service.errors import Forbidden, Unauthenticated
from main.service.model import CallerKind, Role
from test.fakes import FakeDoor
from test.unit.controller.guarded import Call, Guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from main.settings import Settings

# The table of the design, written once more by hand: what the document says is held against it.
TABLE = {
    "public": {
        ("/", "get"),
        ("/health", "get"),
        ("/ready", "get"),
        ("/heartbeat", "get"),
        ("/hello_world/greeting", "get"),
        ("/auth", "post"),
        ("/auth/refresh", "post"),
        ("/.well-known/jwks.json", "get"),
    },
    "reader": {
        ("/status", "get"),
        ("/hello", "get"),
        ("/auth", "delete"),
        ("/auth/me", "get"),
        ("/products", "get"),
        ("/tasks", "get"),
        ("/tasks/{task_id}", "get"),
        ("/products/{product_id}", "get"),
        ("/sources", "get"),
        ("/sources/{name}", "get"),
        ("/sources/{name}/quarantine", "get"),
        ("/sources/{name}/syncs", "get"),
        ("/sources/{name}/syncs/{number}", "get"),
    },
    "editor": {
        ("/tasks", "post"),
        ("/tasks", "delete"),
        ("/tasks/{task_id}", "patch"),
        ("/tasks/{task_id}", "delete"),
    },
    "admin": {
        ("/sources/{name}", "patch"),
        ("/sources/{name}/cache", "delete"),
        ("/sources/{name}/sync", "post"),
    },
}
WHO = [None, "reader", "editor", "admin", "expired", "revoked", "disabled"]
WAYS = ["header", "cookie", "key"]


@pytest.fixture(scope="module")
def closed(settings: Settings) -> Guarded:
    return Guarded(settings)


@pytest.fixture(scope="module")
def half_open(settings: Settings) -> Guarded:
    return Guarded(settings, anonymous="reader")


def test_the_document_says_who_may_what_as_the_design_does(closed: Guarded):
    found: dict[str, set[tuple[str, str]]] = {role: set() for role in TABLE}
    for call in closed.calls():
        if call.method != "head":
            found[call.role].add((call.path, call.method))
    assert found == TABLE


def credentials(guarded: Guarded, who: str | None, way: str) -> dict[str, str]:
    if who is None:
        return {}
    if way == "key":
        return {"X-API-Key": f"{who}-key"}
    if way == "header":
        return {"Authorization": f"Bearer {who}-token"}
    cookie = f"token={who}-token"
    return guarded.prove(cookie) if who in set(Role) else {"Cookie": cookie}


def expect(call: Call, who: str | None, way: str) -> set[int]:
    """The statuses that are right; none of them stands for: neither 401 nor 403."""
    if call.role == "public":
        return set()
    if who not in set(Role):
        return {401}
    if not Role(who).allows(Role(call.role)) or (str(call) == "delete /auth" and way == "key"):
        return {403}
    return set()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", WHO)
def test_no_cell_of_the_authorisation_matrix_is_wrong(closed: Guarded, who: str | None, way: str):
    wrong, cells = [], 0
    for call in closed.calls():
        closed.reset()
        status = closed.send(call, credentials(closed, who, way)).status_code
        cells += 1
        if status not in (expect(call, who, way) or set(range(200, 300))):
            wrong.append(f"{call}: {status}")
    assert wrong == []
    assert cells >= 35


def test_anonymous_readers_may_read_and_nothing_else(half_open: Guarded):
    for call in half_open.calls():
        half_open.reset()
        status = half_open.send(call, {}).status_code
        refused = call.role in {"editor", "admin"} or str(call) == "delete /auth"
        assert (status == 401) if refused else (200 <= status < 300), (call, status)


@pytest.mark.parametrize("way", WAYS)
def test_wrong_credentials_are_refused_even_where_none_are_needed(half_open: Guarded, way: str):
    for call in half_open.calls():
        half_open.reset()
        if call.role != "public":
            assert half_open.send(call, credentials(half_open, "expired", way)).status_code == 401


def test_without_a_token_the_challenge_names_no_error_and_with_a_wrong_one_it_does(closed: Guarded):
    none, wrong = closed.ask("GET", "/products"), closed.ask("GET", "/products", "nonsense")
    assert (none.json["detail"], none.headers["WWW-Authenticate"]) == ("Authorization token is missing", 'Bearer realm="aisle"')
    assert wrong.json["detail"] == "Authorization token is invalid"
    assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="aisle", error="invalid_token"'


def test_a_role_that_does_not_suffice_is_told_which_does(closed: Guarded):
    answer = closed.ask("POST", "/sources/lumen/sync", "editor-token")
    assert (answer.status_code, answer.json["detail"]) == (403, "This takes the role admin, which this login does not have.")


def test_whoever_may_not_call_learns_nothing_of_what_is_there(closed: Guarded):
    urls = ["/sources/lumen", "/sources/nobody", "/sources/lumen?x=1"]
    assert {closed.ask("GET", url).status_code for url in urls} == {401}
    assert {closed.ask("PATCH", url, "reader-token", json={"x": 1}).status_code for url in urls} == {403}


def test_guarded_answers_are_kept_by_no_shared_cache(closed: Guarded):
    for call in closed.calls():
        if call.role == "public" or call.changes:
            continue
        for token in ("reader-token", None):
            answer = closed.ask(call.method.upper(), call.url, token)
            assert {"no-store", "private"} & set(answer.headers["Cache-Control"].split(", ")), call
            assert {"authorization", "cookie", "x-api-key"} <= {name.lower() for name in answer.vary}, call


GUARDS: list[tuple[Callable[..., object], str]] = [(public, "public"), (reader, "reader"), (editor, "editor"), (admin, "admin")]


@pytest.mark.parametrize(("guard", "role"), GUARDS)
def test_a_guard_marks_what_it_guards(guard: Callable[..., object], role: str):
    def get() -> str:
        return "found"

    get.__apidoc__ = {"id": "get", "vendor": {"x-a": 1}}  # type: ignore[attr-defined]
    guarded = guard(get)
    assert guarded.__guards__ == (role,)
    assert guarded.__apidoc__ == {"id": "get", "vendor": {"x-a": 1, "x-role": role}}
    assert guarded.__name__ == "get"


def test_two_guards_on_one_method_can_be_seen():
    assert reader(admin(lambda: None)).__guards__ == ("admin", "reader")


@pytest.fixture
def gated() -> tuple[Flask, FakeDoor]:
    app, door = Flask("x"), FakeDoor()
    attach_gate(app, Gate(door, csrf=None, anonymous=None))  # type: ignore[arg-type]
    return app, door


def test_the_door_is_asked_once_a_request(gated: tuple[Flask, FakeDoor]):
    app, door = gated
    asked = []
    known, door.know = door.know, lambda token: asked.append(token) or known(token)
    with app.test_request_context(headers={"Authorization": "Bearer editor-token"}):
        require(Role.READER)
        require(Role.EDITOR)
        assert (caller().name, caller().kind, caller().role) == ("editor", CallerKind.ACCOUNT, Role.EDITOR)
        with pytest.raises(Forbidden):
            require(Role.ADMIN)
    assert asked == ["editor-token"]


def test_somebody_without_a_role_is_refused(gated: tuple[Flask, FakeDoor]):
    app, door = gated
    for kind, error in ((CallerKind.ANONYMOUS, Unauthenticated), (CallerKind.OUTSIDE, Forbidden)):
        door.callers["odd"] = type(door.callers["reader-token"])(name="odd", kind=kind, role=None)
        with app.test_request_context(headers={"X-API-Key": "odd"}), pytest.raises(error):
            require(Role.READER)
