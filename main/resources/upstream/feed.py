"""Kind ``feed``: a whole catalogue in one file, at a URL or a path, plain or gzip.

Column names follow Google's product data specification (support.google.com/merchants/answer/7052112) and its common synonyms;
``columns`` in the source's settings names others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from marshmallow import ValidationError, pre_load

from main.resources.upstream.base import BaseConnector, RecordSchema, rating_of, stock_of
from main.resources.upstream.bodies import say_size
from main.resources.upstream.feedformats import TOO_LONG, cut_records, guess_format, gunzip, is_html
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
    read_availability,
    split_barcode,
)
from main.resources.upstream.session import MAX_FEED, MAX_LOOK
from main.service.errors import UpstreamGarbled, UpstreamTimeout, UpstreamUnreachable
from main.service.ports.upstream import CrawlPage
from main.util.money import is_currency
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from main.resources.upstream.session import Session
    from main.service.model import Source, Wanted
    from main.util.clock import Clock

_LOOK = 1000
_PATIENCE = 20  # a feed is one large file, not a page of one: it may take this many times the source's timeout
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "sku", "product_id"),
    "name": ("name", "title"),
    "brand": ("brand", "manufacturer"),
    "description": ("description",),
    "category": ("category", "product_type", "google_product_category"),
    "price": ("price",),
    "currency": ("currency",),
    "availability": ("availability",),
    "stock": ("stock", "quantity", "sell_on_google_quantity"),
    "rating": ("rating",),
    "rating_count": ("rating_count", "review_count"),
    "gtin": ("gtin", "ean", "upc", "barcode"),
    "sku": ("sku", "mpn"),
    "url": ("url", "link"),
    "images": ("images", "image_link", "image", "image_url"),
    "tags": ("tags",),
    "updated_at": ("updated_at", "updated"),
}
_MORE_IMAGES = "additional_image_link"
_BEYOND = "_beyond_header"


class FeedSchema(RecordSchema):
    """A row of a feed, after its columns were given our names."""

    source_id = Identifier(data_key="id")
    name = Name()
    brand = Line()
    description = Html()
    category = Line()
    price = Amount()
    currency = Line()
    availability = Line()
    stock = Number()
    rating = Number()
    rating_count = Number()
    gtin = Line()
    sku = Line()
    url = Url()
    images = UrlList(key="url", separator=",")
    tags = Lines()
    updated_at = Moment()

    @pre_load
    def rename(self, row: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Give the columns our names, and a price such as ``19.99 EUR`` its two parts."""
        if row.get(_BEYOND):
            raise ValidationError("has more cells than the header has columns", "record")
        found = {ours: _pick(row, self.source.columns.get(ours), theirs) for ours, theirs in _SYNONYMS.items()}
        renamed = {ours: value for ours, value in found.items() if value is not None}
        if row.get(_MORE_IMAGES):
            renamed["images"] = _listed(renamed.get("images", [])) + _listed(row[_MORE_IMAGES])
        return renamed | _split_price(renamed.get("price"))

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        currency = data.pop("currency")
        if currency is not None and not is_currency(currency):
            raise ValidationError(f"is not an ISO 4217 code such as EUR: {shorten(repr(currency), 40)}", "currency")
        gtin, attributes = split_barcode(data["gtin"])
        return data | {
            "price": self.money(data["price"], currency),
            "availability": read_availability(data["availability"]),
            "stock": stock_of(data["stock"]),
            "rating": rating_of(data["rating"], data.pop("rating_count")),
            "gtin": gtin,
            "attributes": attributes,
            "images": data["images"] or (),
            "tags": data["tags"] or (),
        }


def _pick(row: dict[str, Any], chosen: str | None, synonyms: tuple[str, ...]) -> Any:
    names = (chosen,) if chosen else synonyms
    return next((row[name] for name in names if row.get(name) not in (None, "")), row.get(names[0]))


def _listed(value: Any) -> list[Any]:
    return value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]


def _split_price(price: Any) -> dict[str, str]:
    if not isinstance(price, str):
        return {}
    amount, _, currency = price.strip().rpartition(" ")
    return {"price": amount, "currency": currency} if amount and is_currency(currency) else {}


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Why a look could not read the file, and until when (monotonic seconds) no other tries."""

    reason: str
    until: float


class FeedConnector(BaseConnector):
    """Reads the file once; what it gives is everything there is."""

    schema = FeedSchema

    def __init__(self, source: Source, session: Session, clock: Clock) -> None:
        super().__init__(source, session, clock)
        self._unreadable = _Unreadable("", 0.0)

    def fetch(self, call: Hashable | None) -> CrawlPage:  # noqa: ARG002 - there is only one call
        """Make the one call of a crawl."""
        return CrawlPage(self._cut(None))

    @property
    def look_size(self) -> int:
        """Give how many rows one reading of the whole file serves."""
        return _LOOK

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Read the whole file once more and give the wanted rows.

        Raises:
            UpstreamError: it did not come, or cannot be read. What cannot be read is not asked for again before ``every`` has
                passed: a file too large for looks is none that the shop's breaker should open for, and hold syncs back.
        """
        if time.monotonic() < self._unreadable.until:
            raise UpstreamGarbled(self._unreadable.reason)
        try:
            return self._pick(wanted, deadline)
        except UpstreamGarbled as error:
            self._unreadable = _Unreadable(str(error), time.monotonic() + self.source.every.total_seconds())
            raise

    def _pick(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        asked, found = {one.source_id for one in wanted}, dict[str, bytes]()
        for raw in self._cut(deadline):
            if time.monotonic() > deadline:
                raise UpstreamTimeout(TOO_LONG)
            source_id = self.identify(raw)
            if source_id in asked:
                found.setdefault(source_id, raw)
            if len(found) == len(asked):
                break
        return found

    def _cut(self, deadline: float | None) -> Iterable[bytes]:
        # A sync has a process of its own, and a feed is all pages in one; a live look shares a worker with requests.
        limit = MAX_FEED if deadline is None else min(self.source.max_body, MAX_LOOK)
        body, content_type = self._read(limit, deadline)
        path = urlsplit(self.source.url).path
        form = self.source.format or guess_format(path, content_type)
        if form is None:
            raise UpstreamGarbled("Neither the file's ending nor its type tells the format; name it under format.")
        body = gunzip(body, limit, deadline)
        if is_html(body):
            raise UpstreamGarbled("The answer is an HTML page, not a feed.")
        return cut_records(body, form)

    def find_id(self, raw: bytes) -> Any:
        """Give what stands in the place of a raw row's id."""
        return _pick(self.decode(raw), self.source.columns.get("id"), _SYNONYMS["id"])

    def record_id(self, row: Mapping[str, Any]) -> str | None:
        """Give the id a rejected row has, if any."""
        found = _pick(dict(row), self.source.columns.get("id"), _SYNONYMS["id"])
        return str(found)[:200] if isinstance(found, str | int) and str(found) else None

    def _read(self, limit: int, deadline: float | None) -> tuple[bytes, str]:
        parts = urlsplit(self.source.url)
        if parts.scheme != "file":
            answer = self.session.get(limit=limit, patience=_PATIENCE, deadline=deadline)
            return answer.body, answer.headers.get("content-type", "")
        try:
            with open(url2pathname(parts.path), "rb") as file:  # noqa: PTH123 - reads at most the limit
                body = file.read(limit + 1)
        except OSError as error:
            raise UpstreamUnreachable(f"The file cannot be read: {error.strerror}.") from error
        if len(body) > limit:
            raise UpstreamGarbled(f"The file is larger than {say_size(limit)}.")
        return body, ""
