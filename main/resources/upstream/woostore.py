"""Kind ``woocommerce``, Store API: public, money in minor units, variations only by id.

Source: github.com/woocommerce/woocommerce, docs of the Store API (Products).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields

from main.resources.upstream.base import BaseConnector, RecordSchema, rating_of, split_list, stock_of
from main.resources.upstream.fields import Html, Identifier, Line, Lines, Name, Number, Url, UrlList
from main.resources.upstream.looks import numbers, pick
from main.resources.upstream.paging import counted, pages_after, refuse_beyond
from main.resources.upstream.woocommerce import option_values
from main.service.errors import UpstreamRefused
from main.service.model import Availability, Money, PriceRange, Variant
from main.service.ports.upstream import CrawlPage
from main.util.money import is_currency, parse_amount, shift

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from main.resources.upstream.session import Answer
    from main.resources.upstream.urls import Params
    from main.service.model import Wanted

_LIMIT = 100
_NOT_FOUND = 404
_MAX_UNIT = 4


class WooStoreSchema(RecordSchema):
    """A product of the Store API."""

    source_id = Identifier(data_key="id")
    name = Name()
    url = Url(data_key="permalink")
    sku = Line()
    description = Html()
    short_description = Html()
    prices = fields.Raw(load_default=None, allow_none=True)
    categories = Lines(key="name")
    brands = Lines(key="name")
    tags = Lines(key="name")
    images = UrlList(key="src")
    average_rating = Number()
    review_count = Number()
    is_in_stock = fields.Raw(load_default=None, allow_none=True)
    is_on_backorder = fields.Raw(load_default=None, allow_none=True)
    low_stock_remaining = Number()
    variations = fields.Raw(load_default=None, allow_none=True)

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        prices = data.pop("prices")
        prices = prices if isinstance(prices, dict) else {}
        short, categories, brands = data.pop("short_description"), data.pop("categories"), data.pop("brands")
        return data | {
            "description": data["description"] or short,
            "price": self._minor(prices, "price"),
            "price_range": self._price_range(prices),
            "category": categories[0] if categories else None,
            "brand": brands[0] if brands else None,
            "rating": rating_of(data.pop("average_rating"), data.pop("review_count")),
            "availability": _availability(data.pop("is_in_stock"), data.pop("is_on_backorder")),
            "stock": stock_of(data.pop("low_stock_remaining")),
            "images": data["images"] or (),
            "tags": data["tags"] or (),
            "variants": _variants(data.pop("variations")),
        }

    def _minor(self, prices: dict[str, Any], key: str, currency: str | None = None) -> Money | None:
        written = prices.get(key)
        if written is None or written == "":
            return None
        unit, code = prices.get("currency_minor_unit"), currency or prices.get("currency_code")
        if not isinstance(unit, int) or not 0 <= unit <= _MAX_UNIT:
            raise ValidationError("has no usable currency_minor_unit", "prices")
        try:
            amount = shift(parse_amount(written), -unit)
        except ValueError as error:
            raise ValidationError(str(error), f"prices.{key}") from error
        return self.money(amount, code if isinstance(code, str) and is_currency(code) else None, field=f"prices.{key}")

    def _price_range(self, prices: dict[str, Any]) -> PriceRange | None:
        told = prices.get("price_range")
        if not isinstance(told, dict):
            return None
        both = {**prices, **told}
        lowest, highest = self._minor(both, "min_amount"), self._minor(both, "max_amount")
        return PriceRange(lowest, highest) if lowest and highest and lowest != highest else None


def _availability(in_stock: object, on_backorder: object) -> Availability | None:
    if on_backorder is True:
        return Availability.BACK_ORDER
    if isinstance(in_stock, bool):
        return Availability.IN_STOCK if in_stock else Availability.OUT_OF_STOCK
    return None


def _variants(rows: object) -> tuple[Variant, ...]:
    found = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("id"), int):
            options = option_values(row.get("attributes"), key="value")
            name = " / ".join(options.values()) or None
            found.append(Variant(str(row["id"]), name, None, None, None, None, None, options))
    return tuple(found)


class WooStoreConnector(BaseConnector):
    """Asks for the first page, then for all others at once; falls back to the path without a version."""

    schema = WooStoreSchema
    path = "/wp-json/wc/store/v1/products"

    def fetch(self, call: Hashable | None) -> CrawlPage:
        """Make one call of a crawl: ``call`` is a page number."""
        page = call if isinstance(call, int) else 1
        answer = self._first() if call is None else self._ask(page)
        records, _ = split_list(answer.body, "data")
        total, pages = counted(answer, "x-wp-total"), counted(answer, "x-wp-totalpages")
        refuse_beyond(max(total or 0, pages or 0), self.source.max_products)
        if pages is None:
            return CrawlPage(records, pages_after(page, len(records), size=_LIMIT, window=self.source.concurrency), total)
        return CrawlPage(records, tuple(range(2, pages + 1)) if call is None else (), total)

    @property
    def look_size(self) -> int:
        """Give how many ids are asked for at once."""
        return _LIMIT

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Ask for the products by ids."""
        ids = numbers(wanted)
        if not ids:
            return {}
        asked: Params = {"include": ",".join(ids), "per_page": _LIMIT}
        answer = self._on_either_path(lambda: self.session.get(self.path, asked, deadline=deadline))
        return pick(split_list(answer.body, "data")[0], wanted, self.identify)

    def _ask(self, page: int) -> Answer:
        return self.session.get(self.path, {"per_page": _LIMIT, "page": page, "orderby": "id", "order": "asc"})

    def _first(self) -> Answer:
        self.path = type(self).path
        return self._on_either_path(lambda: self._ask(1))

    def _on_either_path(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except UpstreamRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            self.path = type(self).path.replace("/v1", "")
            return ask()
