"""Reads JSON that strangers send, within bounds that no honest caller meets."""

from __future__ import annotations

import re
from typing import Any

import orjson
from marshmallow import ValidationError
from werkzeug.exceptions import BadRequest

DEPTH = 16  # levels of lists and objects
VALUES = 2_000  # lists, objects, strings and numbers, names of fields included
NUMBER = 40  # characters of one number
_TOO_DEEP = f"must be nested at most {DEPTH} levels deep"
_TOO_LONG = f"must have no number of more than {NUMBER} characters"
# What the parser says where its own bounds, far beyond ours, are met first. Other words of another version make it a 400.
_BEYOND = {"depth limit": _TOO_DEEP, "Recursion limit": _TOO_DEEP, "infinity": _TOO_LONG}
# Possessive, so that nothing is tried twice. Only ever run over well-formed JSON, in which every string ends.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]|[-0-9][-+.0-9eE]*+', re.DOTALL)


class MalformedBody(BadRequest):
    """A body that is no JSON at all."""

    description = "The body is not well-formed JSON."


def read_json(raw: bytes) -> Any:
    """Give what the bytes say.

    Raises:
        MalformedBody: they are not well-formed JSON.
        ValidationError: they are nested too deep, or hold too many values or too long a number.
    """
    try:
        given = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        for word, allowed in _BEYOND.items():
            if word in error.msg:
                raise _fault(allowed) from error
        raise MalformedBody from error
    _check(raw)
    return given


def _check(raw: bytes) -> None:
    depth = 0
    for count, found in enumerate(_TOKEN.finditer(raw), start=1):
        token = found[0]
        first = token[:1]
        if first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
        elif first != b'"' and len(token) > NUMBER:
            raise _fault(_TOO_LONG)
        if depth > DEPTH:
            raise _fault(_TOO_DEEP)
        if count > VALUES:
            raise _fault(f"must have at most {VALUES} values")


def _fault(allowed: str) -> ValidationError:
    return ValidationError({"body": [allowed]})
