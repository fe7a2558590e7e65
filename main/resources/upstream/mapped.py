"""Kind ``mapped``: any JSON API, described in settings alone; the kinds built on it are presets of the same."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from marshmallow import Schema, ValidationError, fields

from main.resources.upstream.base import BaseConnector, RecordSchema, price_of, rating_of, read_json, stock_of
from main.resources.upstream.fields import (
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
    read_availability,
    split_barcode,
)
from main.resources.upstream.hints import find_hints
from main.resources.upstream.itemcall import ask_items, complaint
from main.resources.upstream.leftout import find_left_out
from main.resources.upstream.looks import pick
from main.resources.upstream.options import find_options
from main.resources.upstream.pager import Pager, search
from main.service.errors import RecordRejected, UpstreamGarbled
from main.service.model import Fault, FieldMap, FieldRule, ItemCall, Listing, Variant
from main.service.ports.upstream import CrawlPage
from main.util.clock import isoformat, read_epoch
from main.util.expressions import ExpressionError, compile_expression
from main.util.money import exponent, is_currency, parse_amount, shift
from main.util.prices import read_price
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from main.resources.upstream.session import Session
    from main.service.model import Money, Product, Remark, Source, Wanted
    from main.util.clock import Clock

_encode = msgspec.json.Encoder(decimal_format="number").encode
_URL_STARTS = ("http://", "https://")
_NEEDED = {"id", "name", "price", "currency"}
_PLAIN = FieldRule("@")


class VariantRow(Schema):
    """A variant, after its fields were found."""

    id = Identifier()
    name = Line()
    sku = Line()
    gtin = Line()
    price = fields.Raw(load_default=None, allow_none=True)
    currency = fields.Raw(load_default=None, allow_none=True)
    availability = fields.Raw(load_default=None, allow_none=True)
    stock = Number()
    options = fields.Raw(load_default=dict)


class MappedSchema(RecordSchema):
    """A record, after its fields were found."""

    map: FieldMap = FieldMap()

    source_id = Identifier(data_key="id")
    name = Name()
    brand: fields.Field[Any] = Line()
    description = Html()
    category: fields.Field[Any] = Line()
    price = fields.Raw(load_default=None, allow_none=True)
    currency = fields.Raw(load_default=None, allow_none=True)
    availability = fields.Raw(load_default=None, allow_none=True)
    stock = Number()
    rating = Number()
    rating_count = Number()
    gtin = Line()
    sku = Line()
    url: fields.Field[Any] = Url()
    images: fields.Field[Any] = UrlList(key="url")
    tags = Lines()
    updated_at = Moment()
    variants = fields.List(
        fields.Nested(VariantRow(unknown="exclude")),
        load_default=list,
        allow_none=True,
        error_messages={"invalid": "is not a list"},
    )

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        currency = data.pop("currency")
        variants = tuple(self._variant(row, currency) for row in data.pop("variants") or ())
        lowest, price_range = price_of(variants)
        gtin, attributes = split_barcode(data["gtin"])
        own = self.read_money(data["price"], currency, self.map.fields.get("price", _PLAIN))
        return data | {
            "price": own or lowest,
            "price_range": price_range,
            "availability": read_availability(data["availability"]),
            "stock": stock_of(data["stock"]),
            "rating": rating_of(data["rating"], data.pop("rating_count")),
            "gtin": gtin,
            "attributes": attributes,
            "images": data["images"] or (),
            "tags": data["tags"] or (),
            "variants": variants,
        }

    def read_money(self, value: Any, currency: Any, rule: FieldRule, *, field: str = "price") -> Money | None:
        """Give the amount a shop wrote, by the rule of its field, or None where it wrote nothing."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            amount, told = read_price(value, rule.decimal) if isinstance(value, str) else (parse_amount(value), None)
        except ValueError as error:
            raise ValidationError(str(error), field) from error
        code = _currency_code(currency) or told or self.source.currency
        if rule.unit == "minor" and code:
            amount = shift(amount, -exponent(code))
        return self.money(amount, code, field=field)

    def _variant(self, row: dict[str, Any], currency: Any) -> Variant:
        rule = self.map.variant_fields.get("price", _PLAIN)
        options = row["options"]
        return Variant(
            id=row["id"],
            name=row["name"] or " / ".join(options.values()) or None,
            sku=row["sku"],
            gtin=normalise_gtin(row["gtin"]),
            price=self.read_money(row["price"], row["currency"] or currency, rule, field="variants.price"),
            availability=read_availability(row["availability"]),
            stock=stock_of(row["stock"]),
            options=options,
        )


class MappedConnector(BaseConnector):
    """Pages and maps as the settings say; a preset brings both, and the settings lay theirs over it."""

    schema: ClassVar[type[RecordSchema]] = MappedSchema
    listing: ClassVar[Listing] = Listing()
    item: ClassVar[ItemCall | None] = None
    rules: ClassVar[Mapping[str, str]] = {}
    variants: ClassVar[str | None] = None
    variant_rules: ClassVar[Mapping[str, str]] = {}
    variant_options: ClassVar[str | None] = None

    def __init__(self, source: Source, session: Session, clock: Clock) -> None:
        super().__init__(source, session, clock)
        self.pager = Pager(self.describe_list(), session, source.concurrency, source.max_products)
        self.call = self.describe_item()
        self.map = self._schema.map = self.describe_fields()  # type: ignore[attr-defined]

    @property
    def fingerprint(self) -> bytes:
        """Changes when the same record would be mapped to another product."""
        return hashlib.blake2b(super().fingerprint + repr(self.map).encode(), digest_size=16).digest()

    @property
    def described(self) -> bool:
        """Tell whether the settings describe the list, rather than a preset."""
        return type(self).listing == Listing()

    def describe_list(self) -> Listing:
        """Give the settings' list, or the preset's with the settings' parameters."""
        own, preset = self.source.listing or Listing(), type(self).listing
        return own if self.described else replace(preset, params={**preset.params, **own.params})

    def describe_item(self) -> ItemCall | None:
        """Give the settings' call for single products, or the preset's with the settings' parameters of the list."""
        own, preset = self.source.listing or Listing(), type(self).item
        return self.source.item if preset is None else replace(preset, params={**own.params, **preset.params})

    def describe_fields(self) -> FieldMap:
        """Give the preset's fields with the settings' over them."""
        own = self.source.mapping
        preset = {name: FieldRule(path) for name, path in self.rules.items()}
        below = {name: FieldRule(path) for name, path in self.variant_rules.items()}
        return FieldMap(
            fields={**preset, **own.fields},
            variants=own.variants or self.variants,
            variant_fields=own.variant_fields or below,
            options=own.options if own.variant_fields else self.variant_options,
        )

    def fetch(self, call: Hashable | None) -> CrawlPage:
        """Make one call of a crawl: ``call`` is a page number, an offset, a cursor or a URL, by the style."""
        answer = self.pager.ask(call)
        body = read_json(answer)
        found = search(self.pager.listing.items, body)
        if not isinstance(found, list):
            raise UpstreamGarbled(
                f"The answer has no list of products (looked for {self.pager.listing.items}).{complaint(body)}"
            )
        upcoming = self.pager.upcoming(call, len(found), body, answer)
        hints = find_hints(self.pager.listing, len(found), body, answer) if call is None and self.described else ()
        return CrawlPage(tuple(map(_encode, found)), upcoming, self.pager.total(body), hints=hints)

    @property
    def look_size(self) -> int:
        """Give how many ids go into one call; 0 where no call for single products is described."""
        return self.call.size if self.call else 0

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Make the described call for these products."""
        if self.call is None:
            return super().look(wanted, deadline)
        records: list[Any] = []
        for ids in _split_ids([one.source_id for one in wanted]):
            records += ask_items(self.session, self.call_for(self.call, ids), ids, deadline)
        return pick(map(_encode, records), wanted, self.identify)

    def call_for(self, call: ItemCall, ids: Sequence[str]) -> ItemCall:
        """Give the described call as it asks for these products."""
        del ids
        return call

    def find_id(self, raw: bytes) -> Any:
        """Give what the expression for the id finds in a raw record."""
        return _find({"id": self.map.fields.get("id", _PLAIN)}, self.decode(raw))["id"]

    def find_row(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give our fields as the expressions find them in a record.

        Raises:
            RecordRejected: a field it cannot do without cannot be found.
        """
        row = _find(self.map.fields, record)
        if isinstance(row.get("images"), str):
            row["images"] = split_urls(row["images"])
        if isinstance(row.get("updated_at"), int) and (moment := read_epoch(row["updated_at"])):
            row["updated_at"] = isoformat(moment)
        if self.map.variants is not None:
            rows = _find({"variants": FieldRule(self.map.variants)}, record).get("variants")
            row["variants"] = [self._find_variant(item) for item in rows] if isinstance(rows, list) else rows
        return row

    def find_left_out(self, raw: bytes, product: Product) -> Sequence[Remark]:
        """Give what the expressions found in a raw record and its product lacks, and which of them found nothing."""
        return tuple(find_left_out(self.map, self.decode(raw), product))

    def _find_variant(self, item: Any) -> dict[str, Any]:
        return _find(self.map.variant_fields, item) | {"options": find_options(self.map.options, item)}


def _split_ids(ids: Sequence[str]) -> list[Sequence[str]]:
    """Give the ids by call: one with a comma in it would be taken for two among others."""
    together = [one for one in ids if "," not in one]
    return [*([together] if together else []), *([one] for one in ids if "," in one)]


def _find(rules: Mapping[str, FieldRule], record: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, rule in rules.items():
        try:
            found[name] = compile_expression(rule.path).search(record)
        except ExpressionError as error:
            if name in _NEEDED:
                raise RecordRejected([Fault(name, f"cannot be found by {rule.path!r}: {error}")]) from error
    return found


def _currency_code(value: Any) -> str | None:
    if value is None or value == "":
        return None
    code = value.strip().upper() if isinstance(value, str) else ""
    if not is_currency(code):
        raise ValidationError(f"is not an ISO 4217 code such as EUR: {shorten(repr(value), 40)}", "currency")
    return code


def split_urls(text: str) -> list[str]:
    """Split at the commas before a URL, and at no others: a URL may hold some."""
    urls: list[list[str]] = []
    for part in text.split(","):
        if not urls or part.lstrip().startswith(_URL_STARTS):
            urls.append([])
        urls[-1].append(part)
    return [",".join(parts).strip() for parts in urls]
