"""The Shopify storefront dialect: numbered pages without a total; an empty page is the end."""

from flask import Flask, Response

from sample.dialects.web import answer, answer_object, new_app, whole_number
from sample.records import Records, join

DEFAULT_LIMIT = 30
LARGEST_LIMIT = 250
DEEPEST_RECORD = 25_000


def storefront_app(records: Records) -> Flask:
    """Return the shop's application."""
    app = new_app("shopify")

    @app.get("/products.json")
    def list_products() -> Response:
        limit = min(whole_number("limit", DEFAULT_LIMIT), LARGEST_LIMIT)
        page = whole_number("page", 1)
        if page * limit > DEEPEST_RECORD:
            return answer_object({"errors": f"Page * Limit exceeds the {DEEPEST_RECORD} limit."}, 400)
        start = (page - 1) * limit
        return answer(b'{"products":%b}' % join(records.texts[start : start + limit]))

    return app
