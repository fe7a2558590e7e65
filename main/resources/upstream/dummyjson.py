"""Kind ``dummyjson``: pages by skip and limit, tells the total (dummyjson.com/docs/products)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields

from main.resources.upstream.base import BaseConnector, RecordSchema, rating_of, split_list, stock_of
from main.resources.upstream.fields import Amount, Html, Identifier, Line, Lines, Moment, Name, Number, UrlList
from main.resources.upstream.looks import look_by_path
from main.resources.upstream.paging import refuse_beyond
from main.service.errors import UpstreamGarbled
from main.service.model import Availability
from main.service.ports.upstream import CrawlPage

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from main.service.model import Wanted

_LIMIT = 200
_LINE, _MOMENT = Line(), Moment()
_AVAILABILITY = {
    "In Stock": Availability.IN_STOCK,
    "Low Stock": Availability.LIMITED,
    "Out of Stock": Availability.OUT_OF_STOCK,
}


class DummyJsonSchema(RecordSchema):
    """A product of dummyjson; its barcode is invented by the API, so it is never taken for a GTIN."""

    source_id = Identifier(data_key="id")
    name = Name(data_key="title")
    description = Html()
    category = Line()
    brand = Line()
    price = Amount()
    rating = Number()
    stock = Number()
    tags = Lines()
    sku = Line()
    images = UrlList()
    availability = Line(data_key="availabilityStatus")
    reviews = fields.Raw(load_default=None, allow_none=True)
    meta = fields.Raw(load_default=None, allow_none=True)

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        meta = data.pop("meta")
        meta = meta if isinstance(meta, dict) else {}
        reviews = data.pop("reviews")
        barcode = _LINE.deserialize(meta.get("barcode"))
        return data | {
            "price": self.money(data["price"]),
            "rating": rating_of(data["rating"], len(reviews) if isinstance(reviews, list) else None),
            "stock": stock_of(data["stock"]),
            "tags": data["tags"] or (),
            "images": data["images"] or (),
            "availability": _AVAILABILITY.get(data["availability"]),
            "attributes": {"barcode": barcode} if barcode else {},
            "updated_at": _MOMENT.deserialize(meta.get("updatedAt")),
        }


class DummyJsonConnector(BaseConnector):
    """Asks for the first page, then for every other one the total calls for; the echoed limit is not trusted."""

    schema = DummyJsonSchema

    def fetch(self, call: Hashable | None) -> CrawlPage:
        """Make one call of a crawl: ``call`` is how many products to skip."""
        skip = call if isinstance(call, int) else 0
        answer = self.session.get("/products", {"limit": _LIMIT, "skip": skip})
        records, beside = split_list(answer.body, "products")
        total = beside.get("total")
        if not isinstance(total, int):
            raise UpstreamGarbled("The answer does not say how many products there are (total).")
        refuse_beyond(total, self.source.max_products)
        step = len(records)
        upcoming = range(step, total, step) if call is None and step else ()
        return CrawlPage(records, tuple(upcoming), total)

    @property
    def look_size(self) -> int:
        """Give that products are asked for one by one."""
        return 1

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Ask for one product's own address."""
        return look_by_path(self, wanted, deadline)
