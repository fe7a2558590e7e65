"""The DummyJSON dialect: skip and limit, an envelope with the total, numbers read as JavaScript reads them."""

import re
import time
from collections.abc import Sequence
from typing import Any

import orjson
from flask import Flask, Response, request

from sample.dialects.web import answer, answer_object, new_app
from sample.records import Record, Records, join, keep_fields

NUMBER = re.compile(r"([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)?", re.IGNORECASE)
LEADING_DIGITS = re.compile(r"[+-]?\d{1,18}")
LONGEST_DELAY_MS = 5000


class BadQueryError(ValueError):
    """A query parameter that the live API refuses; the text is its message."""


def dummyjson_app(records: Records) -> Flask:
    """Return the shop's application."""
    app = new_app("dummyjson")
    app.before_request(_leave_trailing_slash)
    app.before_request(_wait)
    app.register_error_handler(BadQueryError, lambda error: answer_object({"message": str(error)}, 400))

    @app.get("/products")
    @app.get("/product")
    def list_products() -> Response:
        return _answer_page(records.texts)

    @app.get("/products/search")
    def search_products() -> Response:
        words = request.args.get("q", "").strip().lower().replace("-", " ")
        return _answer_page(records.where(lambda record: _mentions(record, words)))

    @app.get("/products/category-list")
    def list_categories() -> Response:
        return answer_object(sorted({record["category"] for record in records}))

    @app.get("/products/category/<slug>")
    def list_category(slug: str) -> Response:
        return _answer_page(records.where(lambda record: record.get("category") == slug))

    @app.get("/products/<key>")
    def get_product(key: str) -> Response:
        text = records.text(key)
        if text is None:
            return answer_object({"message": f"Product with id '{key}' not found"}, 404)
        return answer(_select([text])[0])

    return app


def _answer_page(texts: Sequence[bytes]) -> Response:
    """Return the asked page; the echoed limit is the number of records on it, as live."""
    limit, skip = _read_number("limit", 30), _read_number("skip", 0)
    page = _select(_cut(_sort(texts), skip or 0, limit))
    echo = b"null" if skip is None else b"%d" % skip
    return answer(b'{"products":%b,"total":%d,"skip":%b,"limit":%d}' % (join(page), len(texts), echo, len(page)))


def _read_number(name: str, default: int) -> int | None:
    """Return the parameter's leading integer, None when it is valid but has none."""
    values = request.args.getlist(name)
    if not values:
        return default
    text = values[0].strip()
    if len(values) > 1 or not NUMBER.fullmatch(text):
        message = f"Invalid '{name}' - must be a number"
        raise BadQueryError(message)
    digits = LEADING_DIGITS.match(text)
    return int(digits[0]) if digits else None


def _cut(texts: Sequence[bytes], skip: int, limit: int | None) -> Sequence[bytes]:
    """Return the page: limit 0 is everything, no limit nothing, a negative one leaves out the end."""
    if limit is None:
        return []
    start = max(skip, 0)
    if limit > 0:
        return texts[start : start + limit]
    return texts[start : limit or None]


def _sort(texts: Sequence[bytes]) -> Sequence[bytes]:
    """Return the texts in the asked order, unchanged without one."""
    field, order = request.args.get("sortBy"), request.args.get("order", "asc").lower()
    if not field:
        return texts
    if order not in {"asc", "desc"}:
        message = "Order can be: 'asc' or 'desc'"
        raise BadQueryError(message)
    return sorted(texts, key=lambda text: _sort_key(orjson.loads(text).get(field)), reverse=order == "desc")


def _sort_key(value: Any) -> tuple[float, str]:
    """Return a key that compares numbers as numbers and everything else as text."""
    return (value, "") if isinstance(value, int | float) else (0, "" if value is None else str(value))


def _select(texts: Sequence[bytes]) -> Sequence[bytes]:
    """Return the texts with only the selected fields and the id."""
    names = request.args.get("select")
    return keep_fields(texts, ["id", *names.split(",")]) if names else texts


def _mentions(record: Record, words: str) -> bool:
    """Return whether title or description hold the words."""
    return words in f"{record.get('title', '')}\n{record.get('description', '')}".lower()


def _leave_trailing_slash() -> Response | None:
    """Redirect /products/ to /products, as the live server does."""
    if len(request.path) > 1 and request.path.endswith("/"):
        query = request.query_string.decode()
        target = request.script_root + request.path.rstrip("/") + (f"?{query}" if query else "")
        return Response(status=301, headers={"Location": target})
    return None


def _wait() -> None:
    """Postpone the answer by the asked number of milliseconds."""
    delay = _read_number("delay", 0) or 0
    if delay > LONGEST_DELAY_MS:
        message = "Delay cannot be greater than 5 seconds"
        raise BadQueryError(message)
    time.sleep(max(delay, 0) / 1000)
