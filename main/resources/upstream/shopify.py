"""Kind ``shopify``: a storefront's public products.json, or the Admin API where the URL ends in ``/admin/api/VERSION``.

Storefront: ``page`` and ``limit`` (at most 250), no total, no link; the end is an empty page, and page x limit ends at 25,000.
Admin: cursor in the Link header (shopify.dev/docs/api/admin-rest/usage/pagination).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields

from main.resources.upstream.base import BaseConnector, RecordSchema, price_of, read_json, split_list, stock_of
from main.resources.upstream.fields import (
    Amount,
    Html,
    Identifier,
    Line,
    Lines,
    Moment,
    Name,
    Number,
    UrlList,
    normalise_gtin,
    split_barcode,
)
from main.resources.upstream.looks import numbers, pick, unless_gone
from main.resources.upstream.paging import Trail, next_link, pages_after
from main.resources.upstream.shopifypage import as_listed, page_path
from main.service.errors import CrawlIncomplete, UpstreamGarbled
from main.service.model import Availability, Variant
from main.service.ports.upstream import CrawlPage

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from main.resources.upstream.session import Session
    from main.resources.upstream.urls import Params
    from main.service.model import Source, Wanted
    from main.util.clock import Clock

_LIMIT = 250
_LOOK = 100
_LAST_PAGE = 25_000 // _LIMIT
_PLACEHOLDER = "Default Title"


class VariantSchema(Schema):
    """A variant, of either API."""

    id = Identifier()
    title = Line()
    sku = Line()
    price = Amount()
    barcode = Line()
    available = fields.Raw(load_default=None, allow_none=True)
    inventory_quantity = Number()
    inventory_policy = Line()
    option1 = Line()
    option2 = Line()
    option3 = Line()


class ShopifySchema(RecordSchema):
    """A product with its variants; the price is the lowest that can be bought."""

    source_id = Identifier(data_key="id")
    name = Name(data_key="title")
    handle = Line()
    description = Html(data_key="body_html")
    brand = Line(data_key="vendor")
    category = Line(data_key="product_type")
    tags = Lines()
    images = UrlList(key="src")
    updated_at = Moment()
    status = Line()
    options = fields.Raw(load_default=None, allow_none=True)
    variants = fields.List(
        fields.Nested(VariantSchema(unknown="exclude")), required=True, error_messages={"required": "is missing"}
    )

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        self.refuse_unless(data.pop("status"), "active")
        names = _option_names(data.pop("options"))
        rows = data.pop("variants")
        variants = tuple(self._variant(row, names) for row in rows)
        price, price_range = price_of(variants)
        handle = data.pop("handle")
        only = variants[0] if len(variants) == 1 else None
        return data | {
            "tags": data["tags"] or (),
            "images": data["images"] or (),
            "price": price,
            "price_range": price_range,
            "availability": best_availability(variants),
            "stock": _total_stock(variants),
            "sku": only.sku if only else None,
            "gtin": only.gtin if only else None,
            "attributes": split_barcode(rows[0]["barcode"])[1] if only else {},
            "url": f"{self.source.url.split('/admin/')[0]}/products/{handle}" if handle else None,
            "variants": () if only and only.name is None else variants,
        }

    def _variant(self, row: dict[str, Any], names: list[str]) -> Variant:
        title = row["title"]
        values = (row["option1"], row["option2"], row["option3"])
        return Variant(
            id=row["id"],
            name=None if title == _PLACEHOLDER else title,
            sku=row["sku"],
            gtin=normalise_gtin(row["barcode"]),
            price=self.money(row["price"], field="variants.price"),
            availability=_availability(row),
            stock=stock_of(row["inventory_quantity"]),
            options={name: value for name, value in zip(names, values, strict=False) if value and value != _PLACEHOLDER},
        )


class ShopifyConnector(BaseConnector):
    """Asks for page after page, several at once, until one is empty; or follows the Admin API's cursor."""

    schema = ShopifySchema

    def __init__(self, source: Source, session: Session, clock: Clock) -> None:
        super().__init__(source, session, clock)
        self._trail = Trail()

    def fetch(self, call: Hashable | None) -> CrawlPage:
        """Make one call of a crawl: ``call`` is a page number, or the URL of an Admin page."""
        if self._is_admin:
            return self._fetch_admin(call)
        page = call if isinstance(call, int) else 1
        records, _ = split_list(self.session.get("/products.json", {"limit": _LIMIT, "page": page}).body, "products")
        if page == _LAST_PAGE and len(records) == _LIMIT:
            raise CrawlIncomplete("Shopify ends products.json at 25,000 products; split the shop by collection URLs.")
        upcoming = pages_after(page, len(records), size=_LIMIT, window=self.source.concurrency, last=_LAST_PAGE)
        return CrawlPage(records, upcoming)

    def _fetch_admin(self, call: Hashable | None) -> CrawlPage:
        first = {"limit": _LIMIT}
        answer = self.session.follow(call) if isinstance(call, str) else self.session.get("/products.json", first)
        records, _ = split_list(answer.body, "products")
        return CrawlPage(records, self._trail.follow(call, next_link(answer)))

    @property
    def _is_admin(self) -> bool:
        return "/admin/api/" in self.source.url

    @property
    def look_size(self) -> int:
        """Give that the Admin API is asked for many ids at once, a storefront for one page after the other."""
        return _LOOK if self._is_admin else 1

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Ask the Admin API by ids, or a storefront by the product's page."""
        records = self._ask_admin(numbers(wanted), deadline) if self._is_admin else self._ask_page(wanted[0], deadline)
        return pick(records, wanted, self.identify)

    def _ask_admin(self, ids: Sequence[str], deadline: float) -> Iterable[bytes]:
        if not ids:
            return ()
        asked: Params = {"ids": ",".join(ids), "limit": _LOOK}
        return split_list(self.session.get("/products.json", asked, deadline=deadline).body, "products")[0]

    def _ask_page(self, one: Wanted, deadline: float) -> Iterable[bytes]:
        path = page_path(self.source.url, one.url)
        answer = unless_gone(partial(self.session.get, path, deadline=deadline))
        if answer is None:
            return ()
        record = read_json(answer)
        if not isinstance(record, dict):
            raise UpstreamGarbled("The answer is not a product.")
        return (as_listed(record),)


def _option_names(options: object) -> list[str]:
    if not isinstance(options, list):
        return []
    return [str(o["name"]) if isinstance(o, dict) and o.get("name") else f"Option {i}" for i, o in enumerate(options, 1)]


def _availability(row: dict[str, Any]) -> Availability | None:
    if isinstance(row["available"], bool):
        return Availability.IN_STOCK if row["available"] else Availability.OUT_OF_STOCK
    if row["inventory_quantity"] is None:
        return None
    if row["inventory_quantity"] > 0:
        return Availability.IN_STOCK
    return Availability.BACK_ORDER if row["inventory_policy"] == "continue" else Availability.OUT_OF_STOCK


def best_availability(variants: tuple[Variant, ...]) -> Availability | None:
    """Give what holds for the variant that is easiest to have."""
    found = [variant.availability for variant in variants if variant.availability is not None]
    order = (Availability.IN_STOCK, Availability.LIMITED, Availability.BACK_ORDER)
    return next((word for word in order if word in found), found[0] if found else None)


def _total_stock(variants: tuple[Variant, ...]) -> int | None:
    counts = [variant.stock for variant in variants if variant.stock is not None]
    return sum(counts) if counts else None
