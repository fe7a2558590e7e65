"""What every dialect needs to answer in JSON."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Flask, Response, request

JSON = "application/json; charset=utf-8"
MAX_DIGITS = 15  # of a number in a query; more is nonsense


def new_app(name: str) -> Flask:
    """Return an empty Flask application without a static folder."""
    return Flask(name, static_folder=None, template_folder=None)


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return ready JSON text as a response."""
    return Response(body, status, headers, content_type=JSON)


def answer_object(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return any object as a JSON response."""
    return answer(orjson.dumps(body), status, headers)


def whole_number(name: str, default: int) -> int:
    """Return the query parameter as a positive number, the default when it is not one."""
    text = request.args.get(name, "").strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0
    return number or default
