from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, request
from flask_restx import Namespace, Resource
from werkzeug.exceptions import BadRequest

from main.app import create_app
from main.controller import idempotency, middleware
from main.controller.conditional import answer_json
from main.controller.idempotency import idempotent, read_key
from main.controller.problems import problem, render
from main.controller.swaggerdoc import AisleApi
from main.resources.catalogue.reader import SqliteReader
from main.resources.replies.sqlite import KEPT, SqliteReplies
from main.service.errors import StoreDown
from main.service.model import Caller, CallerKind, Role
from test.fakes import FakeClock, FakeDoor, as_admin
from test.unit.controller.documented import assert_as_documented

if TYPE_CHECKING:
    from pathlib import Path

    from main.settings import Settings

KEY = '"order-7"'


class Desk:
    """An app that makes a thing with each POST, and callers of it."""

    def __init__(self, folder: Path) -> None:
        path = folder / "aisle.db"
        reader = SqliteReader(path)
        reader.open()
        reader.close()
        self.clock, self.made, self.name = FakeClock(), 0, "ada"
        self.during: Any = None
        self.app = Flask("desk")
        middleware.install(self.app)
        idempotency.install(self.app, SqliteReplies(path), self.who, self.clock)
        self.app.register_error_handler(Exception, render)
        api = AisleApi(self.app, doc="/docs", title="Desk", version="1", sources=list)
        api.add_namespace(self.namespace())
        self.client = self.app.test_client()

    def who(self) -> Caller:
        return Caller(name=self.name, kind=CallerKind.ACCOUNT, role=Role.ADMIN)

    def namespace(self) -> Namespace:
        namespace, desk = Namespace("things", path="/things"), self

        @namespace.route("")
        class Things(Resource):  # type: ignore[misc]
            @idempotent(namespace)
            def post(self) -> Any:
                return desk.make()

        return namespace

    def make(self) -> Any:
        self.made += 1
        if self.during:
            return self.during()
        return answer_json(b'{"id": %d}' % self.made, status=201, headers={"Location": f"/things/{self.made}"})

    def post(self, key: str | None = KEY, body: Any = None, **given: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.post("/things", json=body or {"name": "lamp"}, headers=headers, **given)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_same_request_again_gets_the_same_answer_and_has_no_second_effect(desk: Desk):
    first, second = desk.post(), desk.post()
    assert desk.made == 1
    assert (second.status_code, second.data) == (first.status_code, first.data) == (201, b'{"id": 1}')
    for name in ("Content-Type", "Location", "Cache-Control"):
        assert second.headers[name] == first.headers[name]
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert len(second.headers.getlist("Content-Length")) == 1


def test_without_a_key_every_request_has_its_effect(desk: Desk):
    assert [desk.post(None).json["id"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("given", [{"body": {"name": "desk"}}, {"query_string": "a=1"}])
def test_another_request_under_the_same_key_is_refused(desk: Desk, given: Any):
    desk.post()
    answer = desk.post(**given)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.json["errors"] == {"Idempotency-Key": ["was sent before with another request"]}
    assert desk.made == 1


def test_a_request_that_comes_while_the_first_is_under_way_is_told_so(desk: Desk):
    inner: list[Any] = []

    def meanwhile() -> Any:
        desk.during = None
        inner.append(desk.post())
        return answer_json(b"{}", status=201)

    desk.during = meanwhile
    assert desk.post().status_code == 201
    [told] = inner
    assert told.json["detail"] == "A request with this Idempotency-Key is under way; ask again in a moment for its answer."
    assert (told.status_code, told.headers["Retry-After"], desk.made) == (409, "1", 1)


def test_everybody_has_keys_of_their_own(desk: Desk):
    desk.post()
    desk.name = "bob"
    assert desk.post().json["id"] == 2


def test_after_a_day_a_key_is_new(desk: Desk):
    desk.post()
    desk.clock.time += KEPT
    assert desk.post().json["id"] == 2


def fail() -> Any:
    raise ZeroDivisionError


def refuse() -> Any:
    raise BadRequest


def be_broken() -> Any:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Broken.")


def be_busy() -> Any:
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Busy.")


@pytest.mark.parametrize(("during", "status"), [(fail, 500), (refuse, 400), (be_broken, 500), (be_busy, 503)])
def test_what_was_not_done_may_be_tried_again(desk: Desk, during: Any, status: int):
    desk.during = during
    assert desk.post().status_code == status
    desk.during = None
    assert desk.post().json["id"] == 2
    assert desk.post().json["id"] == 2


@pytest.mark.parametrize(
    "key",
    [
        "",
        '""',
        "bare",
        '"open',
        'open"',
        '"a"b"',
        '"ü"',
        '"a\tb"',
        '"' + "a" * 256 + '"',
        "123",
        '"a";p=1',
        ":YWJj:",
        '"a", "b"',
    ],
)
def test_a_malformed_key_is_refused_with_what_is_allowed(desk: Desk, key: str):
    answer = desk.client.post("/things", headers={"Idempotency-Key": key.encode().decode("latin-1")})
    assert answer.status_code == 400
    assert answer.json["detail"] == (
        'Idempotency-Key must be a UUID, or a string in double quotes of 1 to 255 characters, such as "order-7-try".'
    )
    assert desk.made == 0


def test_strings_and_uuids_are_keys():
    made = str(uuid.uuid4())
    assert read_key(f'"{made}"') == read_key(made) == made
    assert read_key(' "a \\"quoted\\" \\\\ key" ') == 'a "quoted" \\ key'
    assert read_key(uuid.uuid4().hex)
    assert read_key('"' + "a" * 255 + '"') == "a" * 255


def test_two_ways_to_send_the_same_bytes_in_other_places_are_two_requests(desk: Desk):
    with desk.app.test_request_context("/things?a=bc", method="POST", data=b"d"):
        one = idempotency._fingerprint()
        assert request.query_string == b"a=bc"
    with desk.app.test_request_context("/things?a=b", method="POST", data=b"cd"):
        assert idempotency._fingerprint() != one


def test_the_document_shows_a_key_that_is_one_and_the_form_that_all_have(unsynced: Settings):
    document = create_app(unsynced, door=FakeDoor()).test_client().get("/swagger.json").json
    listed = document["paths"]["/sources/{name}/sync"]["post"]["parameters"]
    [shown] = [each for each in listed if each["name"] == "Idempotency-Key"]
    assert (shown["in"], shown["type"]) == ("header", "string")
    assert set(shown) == {"name", "in", "type", "description", "pattern", "x-example"}
    assert "24 hours" in shown["description"]
    for key in (shown["x-example"], KEY, str(uuid.uuid4()), r'"a \"quoted\" \\ key"'):
        assert re.search(shown["pattern"], key)
        assert read_key(key)
    for key in ("", '""', "bare", '"a"b"', '"' + "a" * 256 + '"'):
        assert not re.search(shown["pattern"], key)
        assert read_key(key) is None


def test_a_sync_is_asked_for_once(unsynced: Settings):
    client = as_admin(create_app(unsynced, door=FakeDoor()).test_client())
    document = client.get("/swagger.json").json
    first = client.post("/sources/lumen/sync", headers={"Idempotency-Key": KEY})
    again = client.post("/sources/lumen/sync", headers={"Idempotency-Key": KEY})
    other = client.post("/sources/lumen/sync", headers={"Idempotency-Key": KEY}, json={"force": True})
    wrong = client.post("/sources/lumen/sync", headers={"Idempotency-Key": "x"})
    for answer in (first, again, other, wrong):
        assert_as_documented(document, "/sources/{name}/sync", answer, "post")
    assert [answer.status_code for answer in (first, again, other, wrong)] == [202, 202, 422, 400]
    assert again.data == first.data


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    def be_down(*_: Any) -> None:
        raise StoreDown

    monkeypatch.setattr(SqliteReplies, "finish", be_down)
    assert desk.post().status_code == 201
    assert desk.post().status_code == 409


def test_without_the_store_nothing_that_must_not_happen_twice_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    def be_down(*_: Any) -> None:
        raise StoreDown

    monkeypatch.setattr(SqliteReplies, "begin", be_down)
    assert (desk.post().status_code, desk.made) == (503, 0)
