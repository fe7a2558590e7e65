"""Holds answers against the Swagger document that promises them."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft4Validator, FormatChecker

from main.controller.definitions import DEFINITIONS

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


def find_faults(described: dict[str, Any], value: Any) -> list[str]:
    """Give what is wrong with a value by a schema of the document; ``x-nullable`` means null is fine too."""
    return [f"{list(fault.absolute_path)}: {fault.message}" for fault in _validator(json.dumps(described)).iter_errors(value)]


@cache
def _validator(described: str) -> Draft4Validator:
    schema = {**json.loads(described), "definitions": DEFINITIONS}
    return Draft4Validator(_with_null(schema), format_checker=FormatChecker())


def _with_null(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _with_null(value) for key, value in node.items()}
    if found.get("x-nullable") is not True:
        return found
    return {**found, "type": [found["type"], "null"]} if "type" in found else {"anyOf": [found, {"type": "null"}]}


def assert_as_documented(document: dict[str, Any], path: str, answer: TestResponse, method: str = "get") -> None:
    """Assert that an answer has a documented status, media type, headers and body."""
    responses = document["paths"][path][method]["responses"]
    assert str(answer.status_code) in responses, f"{path}: {answer.status_code} is not documented"
    promised = responses[str(answer.status_code)]
    if "schema" not in promised:
        assert answer.data == b""
        return
    assert answer.mimetype in promised["examples"]
    assert find_faults(promised["schema"], answer.json) == []
    headers = promised.get("headers", {})
    assert {name for name, header in headers.items() if not header.get("x-optional")} <= set(answer.headers.keys())
