"""The Shopify storefront dialect: numbered pages without a total, of which an empty one is the end; each product by its handle."""

import hashlib
from decimal import Decimal
from typing import Any

import orjson
from flask import Flask, Response, request

from sample.dialects.web import answer, answer_object, new_app, whole_number
from sample.records import Record, Records, join

DEFAULT_LIMIT = 30
LARGEST_LIMIT = 250
DEEPEST_RECORD = 25_000


def storefront_app(records: Records) -> Flask:
    """Return the shop's application."""
    app = new_app("shopify")
    handles = {str(record.get("handle")): place for place, record in reversed(list(enumerate(records)))}

    @app.get("/products.json")
    def list_products() -> Response:
        limit = min(whole_number("limit", DEFAULT_LIMIT), LARGEST_LIMIT)
        page = whole_number("page", 1)
        if page * limit > DEEPEST_RECORD:
            return answer_object({"errors": f"Page * Limit exceeds the {DEEPEST_RECORD} limit."}, 400)
        start = (page - 1) * limit
        return _answer_if_changed(b'{"products":%b}' % join(records.texts[start : start + limit]))

    @app.get("/products/<handle>.js")
    def get_product(handle: str) -> Response:
        if handle not in handles:
            return Response("<!doctype html><title>404 Not Found</title>", 404, content_type="text/html; charset=utf-8")
        return answer_object(_as_page(orjson.loads(records.texts[handles[handle]])))

    return app


def _answer_if_changed(body: bytes) -> Response:
    """Return the list, or 304 when the client's copy is still good."""
    response = answer(body)
    response.set_etag(f"cacheable:{hashlib.sha256(body).hexdigest()[:32]}")
    response.make_conditional(request.environ)
    return response


def _as_page(record: Record) -> Record:
    """Return the record as its own address gives it: other names, no protocol before the images, amounts in hundredths."""
    variants = [_as_page_variant(row) for row in record.get("variants", [])]
    prices = [row["price"] for row in variants]
    return {
        "id": record["id"],
        "title": record.get("title"),
        "handle": record.get("handle"),
        "description": record.get("body_html"),
        "vendor": record.get("vendor"),
        "type": record.get("product_type"),
        "tags": record.get("tags", []),
        "price": min(prices, default=0),
        "price_min": min(prices, default=0),
        "price_max": max(prices, default=0),
        "available": any(row.get("available") for row in variants),
        "variants": variants,
        "images": [image["src"].removeprefix("https:") for image in record.get("images", [])],
        "options": record.get("options", []),
        "url": f"/products/{record.get('handle')}",
    }


def _as_page_variant(row: dict[str, Any]) -> dict[str, Any]:
    """Return the variant with its amounts as whole hundredths, whatever the currency."""
    kept = {key: value for key, value in row.items() if key not in {"product_id", "created_at", "updated_at"}}
    return kept | {key: _hundredths(row.get(key)) for key in ("price", "compare_at_price")}


def _hundredths(amount: str | None) -> int | None:
    """Return a written amount as whole hundredths."""
    return int(Decimal(amount) * 100) if amount else None
