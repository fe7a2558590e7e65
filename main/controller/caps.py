"""What a question may cost: refused before anything is done for it, by an answer that names the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from main.controller.problems import invalid

if TYPE_CHECKING:
    from flask import Flask, Response

QUERY_BYTES = 8192
QUERY_VALUES = 100


def install(app: Flask) -> None:
    """Hold the query of every request against the caps; bodies are held against theirs where they are read."""
    app.before_request(check_query)


def check_query() -> Response | None:
    """Refuse a query that is longer, or names more, than any honest one."""
    query = request.query_string
    if len(query) > QUERY_BYTES:
        return invalid({"query": [f"must be at most {QUERY_BYTES} bytes long"]})
    if query.count(b"&") >= QUERY_VALUES:
        return invalid({"query": [f"must have at most {QUERY_VALUES} parameters"]})
    return None
