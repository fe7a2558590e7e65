from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from marshmallow import ValidationError
from werkzeug.exceptions import BadRequest

from main.controller.boundedjson import DEPTH, NUMBER, VALUES, read_json


@pytest.mark.parametrize("given", [{}, [], None, "text", 1.5, {"a": [{"b": '"[{\\'}, True]}, {"q": "[" * 1000 + '\\"' * 1000}])
def test_honest_json_is_read(given: Any):
    assert read_json(orjson.dumps(given)) == given


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[1,]", b"nonsense", b"\xff", b'{"a": NaN}', b'"\\ud800"', b'"' * 60_001, b'"\\"' * 20_001],
)
def test_what_is_no_json_is_refused_quickly(raw: bytes):
    begun = time.process_time()
    with pytest.raises(BadRequest):
        read_json(raw)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), f"must be nested at most {DEPTH} levels deep"),
        (b"[" * 60_000, f"must be nested at most {DEPTH} levels deep"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, f"must be nested at most {DEPTH} levels deep"),
        (b"[" + b",".join([b"1"] * 10_000) + b"]", f"must have at most {VALUES} values"),
        (b"[" + b"{},[]," * 9_000 + b"1]", f"must have at most {VALUES} values"),
        (b'{"a": ' + b"9" * (NUMBER + 1) + b"}", f"must have no number of more than {NUMBER} characters"),
        (b'{"a": 1.' + b"0" * 60_000 + b"}", f"must have no number of more than {NUMBER} characters"),
    ],
    ids=["deep-list", "60000-open", "deep-object", "10000-items", "18000-empty", "long-number", "long-fraction"],
)
def test_what_would_cost_much_is_refused_by_the_name_of_the_limit(raw: bytes, allowed: str):
    with pytest.raises(ValidationError) as raised:
        read_json(raw)
    assert raised.value.messages == {"body": [allowed]}


def test_what_is_just_within_the_bounds_is_read():
    assert read_json(b"[" * DEPTH + b"9" * 19 + b"]" * DEPTH)
    assert len(read_json(b"[" + b",".join([b"1"] * (VALUES - 2)) + b"]")) == VALUES - 2
