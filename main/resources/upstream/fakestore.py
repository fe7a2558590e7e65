"""Kind ``fakestore``: one call gives everything (fakestoreapi.com/docs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields

from main.resources.upstream.base import BaseConnector, RecordSchema, rating_of, split_list
from main.resources.upstream.fields import Amount, Html, Identifier, Line, Name, Number, web_url
from main.resources.upstream.looks import look_by_path
from main.service.ports.upstream import CrawlPage

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from main.service.model import Wanted

_NUMBER = Number()


class FakeStoreSchema(RecordSchema):
    """A product of Fake Store: no brand, stock, code or date."""

    source_id = Identifier(data_key="id")
    name = Name(data_key="title")
    description = Html()
    category = Line()
    price = Amount()
    image = fields.Raw(load_default=None, allow_none=True)
    rating = fields.Raw(load_default=None, allow_none=True)

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        image = web_url(data.pop("image"))
        rating = data["rating"] if isinstance(data["rating"], dict) else {}
        number = _NUMBER.deserialize
        return data | {
            "price": self.money(data["price"]),
            "images": (image,) if image else (),
            "rating": rating_of(number(rating.get("rate")), number(rating.get("count"))),
        }


class FakeStoreConnector(BaseConnector):
    """Asks once; the API has neither pages nor a total."""

    schema = FakeStoreSchema

    def fetch(self, call: Hashable | None) -> CrawlPage:  # noqa: ARG002 - there is only one call
        """Make the one call of a crawl."""
        records, _ = split_list(self.session.get("/products").body)
        return CrawlPage(records, total=len(records))

    @property
    def look_size(self) -> int:
        """Give that products are asked for one by one."""
        return 1

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Ask for one product's own address; where there is none, the API answers with null or with nothing."""
        return look_by_path(self, wanted, deadline)
