"""``/products``: the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask_restx import Namespace, Resource

from main.controller.conditional import answer_json, etag_of, not_modified
from main.controller.context import services
from main.controller.envelope import encode_page, encode_sources, is_complete
from main.controller.guards import hidden_fields, reader
from main.controller.links import paging_headers
from main.controller.live import completeness, confirm, live_headers
from main.controller.middleware import load_args
from main.controller.parameters import ProductItemSchema, ProductQuerySchema
from main.controller.swagger import ETAG_HEADER, LIVE_HEADERS, PAGING_HEADERS, conditional, documented, parameters
from main.controller.views import View, refuse_hidden
from main.service.required import insist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from main.service.model import Head, Query, SourceStatus, Wish

products = Namespace("products", description="The catalogue: every source's last good products in one list.", path="/products")

_QUERY = ProductQuerySchema()
_ITEM = ProductItemSchema()


@products.route("")
class ProductList(Resource):  # type: ignore[misc]
    """Many products."""

    @reader
    @documented(
        products,
        "ProductPage",
        "One page of the result, and how every source stands.",
        errors=(422, 503),
        headers={**PAGING_HEADERS, **ETAG_HEADER, **LIVE_HEADERS},
    )
    @conditional(products)
    @parameters(products, _QUERY)
    def get(self) -> Response:
        """Find products by words, filters and order; answered from the last good snapshots, whatever the shops do."""
        query, wish = load_args(_QUERY)
        view, search = View(query.fields, hidden_fields()), services().search
        refuse_hidden(query, view.hidden)
        search.check(source=query.source, require=wish.require)
        head = search.head()
        statuses = search.statuses(head)
        insist(wish.require, statuses)
        if wish.live:
            return _confirm_page(query, head, statuses, wish, view)
        return _answer_page(query, head, statuses, view)


@products.route("/<path:product_id>")
@products.param(
    "product_id", "<source>:<the source's own id>, as lists give it", _in="path", **{"x-example": "lumen:7800100000001"}
)
class ProductItem(Resource):  # type: ignore[misc]
    """One product."""

    @reader
    @documented(products, "Product", "The product.", errors=(404, 410, 422, 503), headers={**ETAG_HEADER, **LIVE_HEADERS})
    @conditional(products)
    @parameters(products, _ITEM)
    def get(self, product_id: str) -> Response:
        """Give one product with all its fields."""
        chosen, wish = load_args(_ITEM)
        view, search = View(chosen, hidden_fields()), services().search
        search.check(require=wish.require)
        document = search.get(product_id)
        if wish.live or wish.require:
            insist(wish.require, search.statuses(search.head()))
        if wish.live:
            return _confirm_product(document, wish, view)
        document = view.render(document)
        tag = etag_of(document)
        return answer_json(b"", tag, status=304) if not_modified(tag) else answer_json(document, tag)


def _answer_page(query: Query, head: Head, statuses: Sequence[SourceStatus], view: View) -> Response:
    search = services().search
    sources = encode_sources(statuses)
    tag = etag_of(head.version, sources, query, sorted(view.hidden))
    if not_modified(tag):
        return answer_json(b"", tag, status=304)
    page = search.find(query, head)
    if page.head is not head:
        statuses = search.statuses(page.head)
        sources = encode_sources(statuses)
        tag = etag_of(page.head.version, sources, query, sorted(view.hidden))
    beside = {**paging_headers(page.query.page, page.pages, page.hits.total), **completeness(complete=is_complete(statuses))}
    return answer_json(encode_page(page, sources, view), tag, headers=beside)


def _confirm_page(query: Query, head: Head, statuses: Sequence[SourceStatus], wish: Wish, view: View) -> Response:
    search = services().search
    page = search.find(query, head)
    if page.head is not head:
        statuses = search.statuses(page.head)
    told = confirm(page.hits.documents, wish, statuses, view)
    complete = told.complete and is_complete(statuses)
    confirmed = replace(page, hits=replace(page.hits, documents=told.documents))
    body = encode_page(confirmed, encode_sources(statuses, complete=complete, live=told.summary), View())
    beside = paging_headers(page.query.page, page.pages, page.hits.total)
    return answer_json(body, headers={**beside, **live_headers(told, complete=complete)})


def _confirm_product(document: bytes, wish: Wish, view: View) -> Response:
    search = services().search
    told = confirm((document,), wish, search.statuses(search.head()), view)
    return answer_json(told.documents[0], headers=live_headers(told, complete=told.complete))
