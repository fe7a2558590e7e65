"""Kind ``woocommerce``, REST v3: totals in headers, variations behind a call of their own.

Source: woocommerce.github.io/woocommerce-rest-api-docs (Products, Product variations, Pagination).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from marshmallow import Schema, fields

from main.resources.upstream.base import BaseConnector, RecordSchema, price_of, rating_of, split_list, stock_of
from main.resources.upstream.fields import (
    Amount,
    Html,
    Identifier,
    Line,
    Lines,
    Moment,
    Name,
    Number,
    Url,
    UrlList,
    normalise_gtin,
    split_barcode,
)
from main.resources.upstream.looks import numbers, pick
from main.resources.upstream.paging import counted, pages_after, refuse_beyond
from main.service.errors import UpstreamRefused
from main.service.model import Availability, Variant
from main.service.ports.upstream import CrawlPage

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from main.resources.upstream.session import Answer
    from main.service.model import Wanted

_LIMIT = 100
_LOOK = 10  # not more, because each may cost a call of its own for its variations, one after the other
_LINE, _LINES = Line(), Lines()
_BAD_REQUEST = 400
_NOT_FOUND = 404
_PATH = "/wp-json/wc/v3/products"
_AVAILABILITY = {
    "instock": Availability.IN_STOCK,
    "outofstock": Availability.OUT_OF_STOCK,
    "onbackorder": Availability.BACK_ORDER,
}


class VariationSchema(Schema):
    """A variation as its own endpoint gives it."""

    id = Identifier()
    sku = Line()
    price = Amount()
    barcode = Line(data_key="global_unique_id")
    stock_status = Line()
    stock_quantity = Number()
    status = Line()
    attributes = fields.Raw(load_default=None, allow_none=True)


class WooCommerceSchema(RecordSchema):
    """A product with the variations that were fetched for it."""

    source_id = Identifier(data_key="id")
    name = Name()
    url = Url(data_key="permalink")
    sku = Line()
    barcode = Line(data_key="global_unique_id")
    price = Amount()
    description = Html()
    short_description = Html()
    status = Line()
    categories = Lines(key="name")
    brands = Lines(key="name")
    tags = Lines(key="name")
    images = UrlList(key="src")
    average_rating = Number()
    rating_count = Number()
    stock_status = Line()
    stock_quantity = Number()
    updated_at = Moment(data_key="date_modified_gmt")
    attributes = fields.Raw(load_default=None, allow_none=True)
    variations = fields.List(fields.Nested(VariationSchema(unknown="exclude")), data_key="_variations", load_default=list)

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        self.refuse_unless(data.pop("status"), "publish")
        variants = tuple(self._variant(row) for row in data.pop("variations") if row["status"] in {None, "publish"})
        lowest, price_range = price_of(variants)
        gtin, attributes = split_barcode(data.pop("barcode"))
        short, categories, brands = data.pop("short_description"), data.pop("categories"), data.pop("brands")
        return data | {
            "description": data["description"] or short,
            "price": lowest or self.money(data["price"]),
            "price_range": price_range,
            "category": categories[0] if categories else None,
            "brand": brands[0] if brands else _named_option(data["attributes"], "brand"),
            "rating": rating_of(data.pop("average_rating"), data.pop("rating_count")),
            "availability": _AVAILABILITY.get(data.pop("stock_status")),
            "stock": stock_of(data.pop("stock_quantity")),
            "gtin": gtin,
            "attributes": attributes,
            "images": data["images"] or (),
            "tags": data["tags"] or (),
            "variants": variants,
        }

    def _variant(self, row: dict[str, Any]) -> Variant:
        options = option_values(row["attributes"])
        return Variant(
            id=row["id"],
            name=" / ".join(options.values()) or None,
            sku=row["sku"],
            gtin=normalise_gtin(row["barcode"]),
            price=self.money(row["price"], field="variations.price"),
            availability=_AVAILABILITY.get(row["stock_status"]),
            stock=stock_of(row["stock_quantity"]),
            options=options,
        )


def option_values(attributes: object, key: str = "option") -> dict[str, str]:
    """Give a variation's chosen options by name."""
    line = _LINE.deserialize
    rows = attributes if isinstance(attributes, list) else []
    pairs = ((line(row.get("name")), line(row.get(key))) for row in rows if isinstance(row, dict))
    return {name: value for name, value in pairs if name and value}


def _named_option(attributes: object, wanted: str) -> str | None:
    for row in attributes if isinstance(attributes, list) else []:
        if isinstance(row, dict) and str(row.get("name", "")).casefold() == wanted:
            options = _LINES.deserialize(row.get("options"))
            return options[0] if options else None
    return None


class _Peek(msgspec.Struct):
    id: object = None
    variations: object = None


@dataclass(frozen=True, slots=True)
class VariationsCall:
    """The call that completes a product: its id and the record that waits for its variations."""

    product_id: int
    raw: bytes


class WooCommerceConnector(BaseConnector):
    """Asks for the first page, then for all others at once, and for the variations of each product that has some."""

    schema = WooCommerceSchema
    path = _PATH

    def fetch(self, call: Hashable | None) -> CrawlPage:
        """Make one call of a crawl: ``call`` is a page number or a product whose variations are wanted."""
        if isinstance(call, VariationsCall):
            return CrawlPage((self._complete(call),))
        page = call if isinstance(call, int) else 1
        answer = self._ask_page(page)
        if answer is None:
            return CrawlPage(())
        records, _ = split_list(answer.body, "data")
        waiting = tuple(found for raw in records if (found := variations_call(raw)))
        held = {found.raw for found in waiting}
        total, pages = counted(answer, "x-wp-total"), counted(answer, "x-wp-totalpages")
        refuse_beyond(max(total or 0, pages or 0), self.source.max_products)
        return CrawlPage(
            tuple(raw for raw in records if raw not in held),
            waiting + self._pages_after(page, len(records), pages),
            total,
            held=len(held),
        )

    @property
    def look_size(self) -> int:
        """Give how many ids are asked for at once."""
        return _LOOK

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Ask for the products by ids, then for the variations of each that has some."""
        ids = numbers(wanted)
        if not ids:
            return {}
        answer = self.session.get(self.path, {"include": ",".join(ids), "per_page": _LIMIT}, deadline=deadline)
        found = pick(split_list(answer.body, "data")[0], wanted, self.identify)
        waiting = {source_id: variations_call(raw) for source_id, raw in found.items()}
        return {**found, **{source_id: self._complete(call, deadline) for source_id, call in waiting.items() if call}}

    def _ask_page(self, page: int) -> Answer | None:
        try:
            return self.session.get(self.path, {"per_page": _LIMIT, "page": page, "orderby": "id", "order": "asc"})
        except UpstreamRefused as refusal:
            # Some versions answer a page past the end with 400 rest_post_invalid_page_number instead of an empty list.
            if refusal.status == _BAD_REQUEST and page > 1:
                return None
            raise

    def _pages_after(self, page: int, received: int, pages: int | None) -> tuple[int, ...]:
        if pages is not None:
            return tuple(range(2, pages + 1)) if page == 1 else ()
        return pages_after(page, received, size=_LIMIT, window=self.source.concurrency)

    def _complete(self, call: VariationsCall, deadline: float | None = None) -> bytes:
        found: list[bytes] = []
        page: int | None = 1
        while page is not None:
            answer = self._ask_variations(call.product_id, page, deadline)
            if answer is None:
                break
            rows, _ = split_list(answer.body, "data")
            found += rows
            pages = counted(answer, "x-wp-totalpages")
            more = page < pages if pages is not None else len(rows) == _LIMIT
            page = page + 1 if more and rows else None
        return call.raw.rstrip()[:-1] + b',"_variations":[' + b",".join(found) + b"]}"

    def _ask_variations(self, product_id: int, page: int, deadline: float | None) -> Answer | None:
        asked = {"per_page": _LIMIT, "page": page}
        try:
            return self.session.get(f"{self.path}/{product_id}/variations", asked, deadline=deadline)
        except UpstreamRefused as refusal:
            # Deleted between the two calls, or of a type whose plug-in keeps its variations elsewhere.
            if refusal.status == _NOT_FOUND:
                return None
            raise


def variations_call(raw: bytes) -> VariationsCall | None:
    """Give the call a record waits for, when it lists variations."""
    try:
        peek = msgspec.json.decode(raw, type=_Peek)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # left for the mapping, which says what is wrong with it
    if isinstance(peek.id, int) and isinstance(peek.variations, list) and peek.variations:
        return VariationsCall(peek.id, raw)
    return None
