"""What callers may ask, as marshmallow schemas: query strings in, normalised questions out."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from main.controller.documents import PRODUCT_FIELDS, shown
from main.controller.fields import TEXT_LIMIT, Amount, Choices, CurrencyCode, Flag, Gtins, Number, Values, Whole
from main.service.model import FACETS, PER_PAGE, PER_PAGE_MAX, SORTS, Availability, Query, Wish
from main.service.words import PREFIX_RULE, find_costly, parse_words
from main.util.money import rank_amount

PAGE_LIMIT = 100_000
DEPTH_LIMIT = 100_000  # how far down a list a page may be: what comes before it is counted through each time
_PAGE = f"Which page, from 1. A page must not go beyond item {DEPTH_LIMIT}: page times per_page may not be more."


def short_text() -> validate.Length:
    """Allow texts up to the limit."""
    return validate.Length(max=TEXT_LIMIT, error=f"must be at most {TEXT_LIMIT} characters")


def _check_words(text: str) -> None:
    if not text.strip() or len(text) > TEXT_LIMIT:
        return
    terms = parse_words(text)
    fault = find_costly(terms) if terms else "must have a letter or a digit"
    if fault:
        raise ValidationError(fault)


class Parameters(Schema):
    """A query string: an unknown parameter is an error that names those there are."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = RAISE

    def __init__(self) -> None:
        super().__init__()
        known = ", ".join(field.data_key or name for name, field in self.load_fields.items())
        self.error_messages = {**self.error_messages, "unknown": f"is unknown; there is: {known or 'none'}"}


class PagingSchema(Parameters):
    """Which page of a list."""

    page = Whole(1, PAGE_LIMIT, load_default=1, metadata=shown(_PAGE, 1))
    per_page = Whole(1, PER_PAGE_MAX, load_default=PER_PAGE, metadata=shown("How many on a page.", 10))

    @validates_schema
    def check_depth(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a page that is too far down."""
        if data["page"] * data["per_page"] > DEPTH_LIMIT:
            raise ValidationError(f"must not go beyond item {DEPTH_LIMIT}: page times per_page is more", "page")


class LiveSchema(Parameters):
    """Whether the answer is to be confirmed by the shops, and what must be in it."""

    live = Flag(
        load_default=False, metadata=shown("Confirm price and stock of exactly these products against their shops now.", True)
    )
    deadline_ms = Whole(
        50,
        60_000,
        load_default=None,
        metadata=shown(
            "How long that may take; live.deadline of the settings where it is not given, live.max_deadline at most.", 800
        ),
    )
    require = Values(
        load_default=(),
        metadata=shown(
            "Sources that must be in the answer; 503 names those that cannot be had. May be given several times.", ["lumen"]
        ),
    )


def take_wish(data: dict[str, Any]) -> Wish:
    """Take what :class:`LiveSchema` has loaded out of the rest."""
    return Wish(live=data.pop("live"), deadline_ms=data.pop("deadline_ms"), require=data.pop("require"))


class ProductQuerySchema(LiveSchema, PagingSchema):
    """What is asked of the catalogue."""

    q = fields.String(
        load_default="",
        validate=[short_text(), _check_words],
        metadata=shown(
            f'Words that must all occur, "phrases" in quotes, prefix* ({PREFIX_RULE});'
            " in name, brand, category, SKU, GTIN, description.",
            "desk lamp",
        ),
    )
    source = Values(load_default=(), metadata=shown("Source names; may be given several times.", ["lumen"]))
    brand = Values(load_default=(), metadata=shown("Brands; may be given several times.", ["Halden"]))
    category = Values(load_default=(), metadata=shown("Categories; may be given several times.", ["Lamps"]))
    gtin = Gtins(load_default=(), metadata=shown("GTIN-8, -12, -13 or -14; may be given several times.", ["4006381333931"]))
    min_price = Amount(load_default=None, metadata=shown("Lowest nominal amount; name a currency to stay within one.", "10"))
    max_price = Amount(load_default=None, metadata=shown("Highest nominal amount.", "99.50"))
    currency = CurrencyCode(load_default=None, metadata=shown("ISO 4217 code.", "EUR"))
    availability = Choices(
        tuple(Availability), load_default=(), metadata=shown("Words of schema.org/ItemAvailability.", ["InStock"])
    )
    min_rating = Number(0, 5, load_default=None, metadata=shown("Lowest average rating; leaves out what nobody rated.", 4.0))
    sort = fields.String(
        load_default=None,
        validate=validate.OneOf(SORTS, error=f"must be one of: {', '.join(SORTS)}"),
        metadata=shown("Order; relevance where q is given, else name.", "-price"),
    )
    fields_ = Choices(
        PRODUCT_FIELDS,
        data_key="fields",
        load_default=(),
        metadata=shown("Only these fields of each product (and its id).", ["name", "price"]),
    )
    facets = Choices(FACETS, load_default=(), metadata=shown("Values with counts over the whole result.", ["brand", "price"]))

    @validates_schema
    def check(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what contradicts itself."""
        lowest, highest = data["min_price"], data["max_price"]
        if lowest is not None and highest is not None and lowest > highest:
            raise ValidationError("must not be above max_price", "min_price")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> tuple[Query, Wish]:
        """Give the normalised query, and how it is to be answered."""
        wish = take_wish(data)
        terms = parse_words(data.pop("q"))
        sort = data.pop("sort") or ("relevance" if terms else "name")
        for key in ("min_price", "max_price"):
            data[key] = None if data[key] is None else rank_amount(data[key])
        wanted = data.pop("fields_")
        chosen = {**data, "sort": "name" if sort == "relevance" and not terms else sort}
        return Query(terms=terms, fields=tuple(sorted({"id", *wanted})) if wanted else (), **chosen), wish


class ProductItemSchema(LiveSchema):
    """Which fields of one product, and whether they are to be confirmed."""

    fields_ = Choices(
        PRODUCT_FIELDS,
        data_key="fields",
        load_default=(),
        metadata=shown("Only these fields (and the id).", ["name", "price"]),
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> tuple[tuple[str, ...], Wish]:
        """Give the wanted fields (none means all), and how they are to be had."""
        return tuple(sorted({"id", *data["fields_"]})) if data["fields_"] else (), take_wish(data)


class NoParametersSchema(Parameters):
    """Takes no parameters."""


class GreetingQuerySchema(NoParametersSchema):
    """Whom to greet."""

    name = fields.String(
        load_default=None,
        validate=short_text(),
        metadata=shown("Whom to greet; config.yml's default_name where nobody is named.", "John"),
    )
