"""``/products``: the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_restx import Namespace, Resource

from main.controller.conditional import answer_json, etag_of, not_modified
from main.controller.context import services
from main.controller.envelope import encode_page, encode_sources, pick_fields
from main.controller.links import paging_headers
from main.controller.middleware import load_args
from main.controller.parameters import FieldsSchema, ProductQuerySchema
from main.controller.swagger import ETAG_HEADER, PAGING_HEADERS, conditional, documented, parameters

if TYPE_CHECKING:
    from flask import Response

products = Namespace("products", description="The catalogue: every source's last good products in one list.", path="/products")

_QUERY = ProductQuerySchema()
_FIELDS = FieldsSchema()


@products.route("")
class ProductList(Resource):  # type: ignore[misc]
    """Many products."""

    @documented(
        products,
        "ProductPage",
        "One page of the result, and how every source stands.",
        errors=(422, 503),
        headers={**PAGING_HEADERS, **ETAG_HEADER},
    )
    @conditional(products)
    @parameters(products, _QUERY)
    def get(self) -> Response:
        """Find products by words, filters and order; answered from the last good snapshots, whatever the shops do."""
        query = load_args(_QUERY)
        search = services().search
        search.check(query)
        head = search.head()
        sources = encode_sources(search.statuses(head))
        tag = etag_of(head.version, sources, query)
        if not_modified(tag):
            return answer_json(b"", tag, status=304)
        page = search.find(query, head)
        if page.head is not head:
            sources = encode_sources(search.statuses(page.head))
            tag = etag_of(page.head.version, sources, query)
        return answer_json(
            encode_page(page, sources), tag, headers=paging_headers(page.query.page, page.pages, page.hits.total)
        )


@products.route("/<path:product_id>")
@products.param("product_id", "<source>:<the source's own id>, as lists give it", _in="path", **{"x-example": "lumen:7001"})
class ProductItem(Resource):  # type: ignore[misc]
    """One product."""

    @documented(products, "Product", "The product.", errors=(404, 422, 503), headers=ETAG_HEADER)
    @conditional(products)
    @parameters(products, _FIELDS)
    def get(self, product_id: str) -> Response:
        """Give one product with all its fields."""
        chosen = load_args(_FIELDS)
        document = pick_fields(services().search.get(product_id), chosen)
        tag = etag_of(document)
        return answer_json(b"", tag, status=304) if not_modified(tag) else answer_json(document, tag)
