from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from main.controller.bodies import SourceChangeSchema, SyncRequestSchema, load_body
from main.controller.boundedjson import MalformedBody
from main.service.model import BreakerMode, GuardChange
from test.unit.controller.documented import find_faults

CHANGE = SourceChangeSchema()


def load(body: Any, schema: Any = CHANGE, **given: Any) -> Any:
    sent = {"data": body, "content_type": "application/json", "method": "POST", **given}
    with Flask("x").test_request_context("/", **sent):
        return load_body(schema)


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (b'{"breaker": "auto"}', GuardChange(mode=BreakerMode.AUTO)),
        (b'{"enabled": false}', GuardChange(sets_enabled=True, enabled=False)),
        (b'{"enabled": null}', GuardChange(sets_enabled=True)),
        (b'{"breaker": "closed", "enabled": true}', GuardChange(mode=BreakerMode.CLOSED, sets_enabled=True, enabled=True)),
    ],
)
def test_a_change_of_a_source_is_what_was_sent(body: bytes, change: GuardChange):
    assert load(body) == change


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({}, "body", "must have at least one of: breaker, enabled"),
        ({"breaker": "open"}, "breaker", "must be one of: auto, forced_open, closed"),
        ({"breaker": None}, "breaker", "must be one of: auto, forced_open, closed"),
        ({"breaker": 1}, "breaker", "must be one of: auto, forced_open, closed"),
        ({"enabled": 1}, "enabled", "must be true or false, or null"),
        ({"enabled": "true"}, "enabled", "must be true or false, or null"),
        ({"color": 1}, "color", "is unknown; there is: breaker, enabled"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_with_what_is_allowed(given: dict[str, Any], field: str, message: str):
    with pytest.raises(ValidationError) as caught:
        CHANGE.load(given)
    assert caught.value.messages == {field: [message]}
    assert find_faults({"$ref": "#/definitions/SourceChange"}, given)


@pytest.mark.parametrize(
    ("body", "force"), [(b"", False), (b"{}", False), (b'{"force": true}', True), (b'{"force": false}', False)]
)
def test_a_sync_may_be_asked_for_without_a_word(body: bytes, force: bool):  # noqa: FBT001
    assert load(body, SyncRequestSchema()) == {"force": force}


@pytest.mark.parametrize("given", [{"force": None}, {"force": 1}, {"force": "yes"}, {"now": True}])
def test_a_sync_is_forced_by_true_and_by_nothing_else(given: dict[str, Any]):
    with pytest.raises(ValidationError):
        SyncRequestSchema().load(given)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", None])
def test_anything_but_json_is_refused(kind: str | None):
    with pytest.raises(UnsupportedMediaType):
        load(b'{"enabled": true}', content_type=kind)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"])
def test_json_is_taken_under_each_of_its_names(kind: str):
    assert load(b'{"enabled": true}', content_type=kind).enabled is True


@pytest.mark.parametrize(
    "body", [b"{", b"{'a': 1}", b'{"a": NaN}', b"[[", b'{"a": "\\ud800"}', b"\xff", b"{}{}", b'{"enabled": tru']
)
def test_what_is_no_json_is_refused(body: bytes):
    with pytest.raises(MalformedBody):
        load(body)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"true"])
def test_what_is_no_object_is_refused_with_what_is_allowed(body: bytes):
    with pytest.raises(ValidationError) as caught:
        load(body)
    assert caught.value.messages == {"body": ["must be a JSON object with: breaker, enabled"]}


def test_a_body_larger_than_any_there_can_be_is_refused():
    with pytest.raises(RequestEntityTooLarge):
        load(b'{"breaker": "' + b"x" * 70_000 + b'"}')
