"""The FakeStore dialect: bare arrays, a limit and no way to page."""

from collections.abc import Sequence

from flask import Flask, Response, request

from sample.dialects.web import answer, answer_object, new_app, whole_number
from sample.records import Records, join


def fakestore_app(records: Records) -> Flask:
    """Return the shop's application."""
    app = new_app("fakestore")

    @app.get("/products")
    def list_products() -> Response:
        return _answer_first(records.texts)

    @app.get("/products/categories")
    def list_categories() -> Response:
        return answer_object(list(dict.fromkeys(record["category"] for record in records)))

    @app.get("/products/category/<name>")
    def list_category(name: str) -> Response:
        return _answer_first(records.where(lambda record: record.get("category") == name))

    @app.get("/products/<key>")
    def get_product(key: str) -> Response:
        return answer(records.text(key) or b"null")

    return app


def _answer_first(texts: Sequence[bytes]) -> Response:
    """Return the first records; no limit, zero or nonsense is all of them."""
    ordered = texts[::-1] if request.args.get("sort") == "desc" else texts
    return answer(join(ordered[: whole_number("limit", len(texts))]))
