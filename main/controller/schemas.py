"""What goes in and out over HTTP, as marshmallow schemas; the Swagger document is made from them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from main.controller.documents import PRODUCT_FIELDS, Document, ProductSchema, UtcTime, shown
from main.service.model import FACETS, PER_PAGE, PER_PAGE_MAX, SORTS, Availability, Query, State
from main.service.words import parse_words
from main.util.money import is_currency, parse_amount, rank_amount

TEXT_LIMIT = 200
LIST_LIMIT = 50
PAGE_LIMIT = 100_000
_GTIN_DIGITS = {8, 12, 13, 14}


class Price(fields.Field[Decimal]):
    """An amount as a decimal number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:  # noqa: ARG002
        try:
            return parse_amount(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Choices(fields.Field[tuple[str, ...]]):
    """Words from a fixed list, separated by commas or given several times; upper and lower case are the same."""

    def __init__(self, choices: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = {choice.lower(): choice for choice in choices}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        words = [word.strip().lower() for item in value for word in item.split(",") if word.strip()]
        if any(word not in self.choices for word in words):
            raise ValidationError(f"must be of: {', '.join(self.choices.values())}")
        return tuple(sorted({self.choices[word] for word in words}))


class Values(fields.Field[tuple[str, ...]]):
    """Values to choose among, given several times: any of them will do."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if len(value) > LIST_LIMIT:
            raise ValidationError(f"may be given at most {LIST_LIMIT} times")
        if any(not item.strip() or len(item) > TEXT_LIMIT or not item.isprintable() for item in value):
            raise ValidationError(f"must be 1 to {TEXT_LIMIT} printable characters")
        return tuple(sorted({item.strip() for item in value}))


class Gtins(Values):
    """Article numbers, given several times."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        found = super()._deserialize(value, attr, data, **kwargs)
        if any(not (item.isascii() and item.isdigit() and len(item) in _GTIN_DIGITS) for item in found):
            raise ValidationError("must be 8, 12, 13 or 14 digits")
        return tuple(sorted(item.zfill(14) for item in found))


def whole(least: int, most: int, default: int, description: str) -> fields.Integer:
    """Give a parameter that is a whole number within bounds."""
    allowed = f"must be a whole number from {least} to {most}"
    return fields.Integer(
        load_default=default,
        validate=validate.Range(least, most, error=allowed),
        error_messages={"invalid": allowed},
        metadata=shown(description),
    )


class PagingSchema(Schema):
    """Which page of a list."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = RAISE

    page = whole(1, PAGE_LIMIT, 1, "Which page, from 1.")
    per_page = whole(1, PER_PAGE_MAX, PER_PAGE, "How many on a page.")


class ProductQuerySchema(PagingSchema):
    """What is asked of the catalogue."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=TEXT_LIMIT, error=f"must be at most {TEXT_LIMIT} characters"),
        metadata=shown(
            'Words that must all occur, "phrases" in quotes, prefix*; in name, brand, category, SKU, GTIN, description.'
        ),
    )
    source = Values(load_default=(), metadata=shown("Source names; may be given several times."))
    brand = Values(load_default=(), metadata=shown("Brands; may be given several times."))
    category = Values(load_default=(), metadata=shown("Categories; may be given several times."))
    gtin = Gtins(load_default=(), metadata=shown("GTIN-8, -12, -13 or -14; may be given several times."))
    min_price = Price(load_default=None, metadata=shown("Lowest nominal amount; name a currency to stay within one."))
    max_price = Price(load_default=None, metadata=shown("Highest nominal amount."))
    currency = fields.String(load_default=None, metadata=shown("ISO 4217 code."))
    availability = Choices(tuple(Availability), load_default=(), metadata=shown("Words of schema.org/ItemAvailability."))
    min_rating = fields.Float(
        load_default=None,
        allow_nan=False,
        validate=validate.Range(0, 5, error="must be a number from 0 to 5"),
        error_messages={"invalid": "must be a number from 0 to 5", "special": "must be a number from 0 to 5"},
        metadata=shown("Lowest average rating; leaves out what nobody rated."),
    )
    sort = fields.String(
        load_default=None,
        validate=validate.OneOf(SORTS, error=f"must be one of: {', '.join(SORTS)}"),
        metadata=shown("Order; relevance where q is given, else name."),
    )
    fields_ = Choices(
        PRODUCT_FIELDS, data_key="fields", load_default=(), metadata=shown("Only these fields of each product (and its id).")
    )
    facets = Choices(FACETS, load_default=(), metadata=shown("Values with counts over the whole result."))

    @validates_schema
    def check(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what contradicts itself or says nothing."""
        lowest, highest = data["min_price"], data["max_price"]
        if lowest is not None and highest is not None and lowest > highest:
            raise ValidationError("must not be above max_price", "min_price")
        if data["currency"] is not None and not is_currency(data["currency"]):
            raise ValidationError("must be an ISO 4217 code such as EUR", "currency")
        if data["q"].strip() and not parse_words(data["q"]):
            raise ValidationError("must have a letter or a digit", "q")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Query:
        """Give the normalised query."""
        terms = parse_words(data.pop("q"))
        sort = data.pop("sort") or ("relevance" if terms else "name")
        for key in ("min_price", "max_price"):
            data[key] = None if data[key] is None else rank_amount(data[key])
        wanted = data.pop("fields_")
        chosen = {**data, "sort": "name" if sort == "relevance" and not terms else sort}
        return Query(terms=terms, fields=tuple(sorted({"id", *wanted})) if wanted else (), **chosen)


class FieldsSchema(Schema):
    """Which fields of one product."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = RAISE

    fields_ = Choices(PRODUCT_FIELDS, data_key="fields", load_default=(), metadata=shown("Only these fields (and the id)."))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> tuple[str, ...]:
        """Give the wanted fields; none means all."""
        return tuple(sorted({"id", *data["fields_"]})) if data["fields_"] else ()


class NoParametersSchema(Schema):
    """Takes no parameters."""

    class Meta:
        """Unknown parameters are errors."""

        unknown = RAISE


class GreetingQuerySchema(NoParametersSchema):
    """Whom to greet."""

    name = fields.String(
        load_default=None,
        validate=validate.Length(max=TEXT_LIMIT, error=f"must be at most {TEXT_LIMIT} characters"),
        metadata=shown("Whom to greet; config.yml's default_name where nobody is named.", "John"),
    )


class SourceMetaSchema(Schema):
    """How a source stands, as every list says."""

    state = fields.String(attribute="state", metadata=shown("How it stands.", "fresh", enum=[state.value for state in State]))
    synced_at = UtcTime(attribute="record.synced_at", allow_none=True, metadata=shown("When its snapshot was taken."))
    products = fields.Integer(attribute="record.products", metadata=shown("Products in its snapshot.", 120))
    rejected = fields.Integer(attribute="record.rejected", metadata=shown("Records in quarantine.", 2))


class MetaSchema(Schema):
    """What a list says about itself."""

    version = fields.Integer(metadata=shown("The catalogue's version.", 12))
    complete = fields.Boolean(metadata=shown("True when every enabled source has a snapshot that is not stale."))
    sources = fields.Dict(keys=fields.String(), values=fields.Nested(SourceMetaSchema))


class BucketSchema(Document):
    """One value of a facet; a price facet's value is a band of one currency."""

    value = fields.String(metadata=shown("The value; for price, the band in words.", "10-25 EUR"))
    count = fields.Integer(required=True, metadata=shown("How many products of the whole result have it.", 17))
    currency = fields.String(metadata=shown("Only for price."))
    min = fields.String(metadata=shown("Only for price: from this amount on."))
    below = fields.String(metadata=shown("Only for price: below this amount; left out for the last band."))


class ProductPageSchema(Schema):
    """A page of products."""

    data = fields.List(fields.Nested(ProductSchema), required=True)
    page = fields.Integer(required=True)
    per_page = fields.Integer(required=True)
    total = fields.Integer(required=True, metadata=shown("Products in the whole result."))
    pages = fields.Integer(required=True)
    facets = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(BucketSchema)))
    meta = fields.Nested(MetaSchema, required=True)


class SourceSchema(SourceMetaSchema):
    """One source with everything known about it."""

    name = fields.String(attribute="source.name", metadata=shown("Its name.", "lumen"))
    kind = fields.String(attribute="source.kind", metadata=shown("Its dialect.", "shopify"))
    url = fields.String(attribute="source.url")
    enabled = fields.Boolean(attribute="source.enabled")
    required = fields.Boolean(attribute="source.required")
    current = fields.Boolean(metadata=shown("True when its snapshot is there and not stale."))
    age_s = fields.Integer(allow_none=True, metadata=shown("Age of its snapshot in seconds."))
    attempted_at = UtcTime(attribute="record.attempted_at", allow_none=True, metadata=shown("When its last sync ended."))
    outcome = fields.String(attribute="record.outcome", allow_none=True, metadata=shown("How its last sync ended.", "ok"))
    failures = fields.Integer(attribute="record.failures", metadata=shown("Failed syncs since the last good one."))
    error_type = fields.String(attribute="record.error_type", allow_none=True, metadata=shown("The last failure's type."))
    error = fields.String(attribute="record.error", allow_none=True, metadata=shown("The last failure in words."))
    failed_at = UtcTime(attribute="record.failed_at", allow_none=True, metadata=shown("When it last failed."))
    duration_ms = fields.Integer(attribute="record.duration_ms", allow_none=True)
    next_sync_at = UtcTime(attribute="record.next_sync_at", allow_none=True)


class SourceListSchema(Schema):
    """All sources."""

    data = fields.List(fields.Nested(SourceSchema))
    total = fields.Integer()


class FaultSchema(Schema):
    """One thing that is wrong with a record."""

    field = fields.String(metadata=shown("Where.", "price"))
    reason = fields.String(metadata=shown("What.", "is negative: '-5.00'"))


class RejectedSchema(Schema):
    """A record in quarantine."""

    position = fields.Integer(metadata=shown("Where it stood in the crawl, from 1."))
    record_id = fields.String(allow_none=True, metadata=shown("The shop's own id, where it has one."))
    faults = fields.List(fields.Nested(FaultSchema))
    raw = fields.String(metadata=shown("The record as the shop sent it, cut after 8,000 characters."))


class RejectedPageSchema(Schema):
    """A page of a source's quarantine."""

    data = fields.List(fields.Nested(RejectedSchema))
    page = fields.Integer()
    per_page = fields.Integer()
    total = fields.Integer()
    pages = fields.Integer()


class ComponentSchema(Document):
    """A part of this process."""

    name = fields.String(metadata=shown("Its role.", "catalogue"))
    kind = fields.String(metadata=shown("What it is.", "sqlite"))
    up = fields.Boolean()
    error = fields.String()


class TimingSchema(Schema):
    """How often something ran in this process, and how long it took."""

    count = fields.Integer()
    mean_ms = fields.Float()
    max_ms = fields.Float()


class StatusSchema(Schema):
    """The whole picture of this process."""

    id = fields.String(attribute="identity.id")
    name = fields.String(attribute="identity.name")
    description = fields.String(attribute="identity.description")
    version = fields.String(attribute="identity.version")
    start_time = UtcTime()
    current_time = UtcTime()
    uptime = fields.Float(attribute="uptime_s", metadata=shown("Seconds.", 86.4))
    components = fields.List(fields.Nested(ComponentSchema))
    timings = fields.Dict(keys=fields.String(), values=fields.Nested(TimingSchema))


class ReadinessSchema(Schema):
    """Whether requests can be served."""

    ready = fields.Boolean()
    components = fields.List(fields.Nested(ComponentSchema))
    waiting = fields.List(fields.String(), metadata=shown("Sources that had no first try yet."))


class HealthSchema(Schema):
    """The process is alive."""

    status = fields.String(metadata=shown("Always UP.", "UP"))


class HeartbeatSchema(Schema):
    """The service is alive."""

    time = UtcTime(metadata=shown("Current time, UTC."))


class PlatformSchema(Schema):
    """What the hosting platform set; null where it set nothing."""

    platformUrl = fields.String(attribute="base_url", allow_none=True)  # noqa: N815 - the platform's own spelling
    mqttPlatformUrl = fields.String(attribute="mqtt_url", allow_none=True)  # noqa: N815
    tenant = fields.String(allow_none=True)
    user = fields.String(allow_none=True)
    password = fields.Function(lambda platform: platform.password and repr(platform.password))
    microserviceIsolation = fields.String(attribute="isolation", allow_none=True)  # noqa: N815


class RootSchema(Schema):
    """Where to go from here."""

    name = fields.String()
    description = fields.String()
    version = fields.String()
    links = fields.Dict(keys=fields.String(), values=fields.String())


class ProblemSchema(Schema):
    """An error, as RFC 9457 has it (application/problem+json)."""

    type = fields.String(required=True, metadata=shown("about:blank, or a URI that names the kind of problem.", "about:blank"))
    title = fields.String(required=True, metadata=shown("The status in words.", "Unprocessable Entity"))
    status = fields.Integer(required=True, metadata=shown("The HTTP status.", 422))
    detail = fields.String(metadata=shown("What happened, for a person."))
    instance = fields.String(metadata=shown("The path that was asked for."))
    request_id = fields.String(metadata=shown("Names this request in the log."))
    errors = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), metadata=shown("Parameter or field to messages.")
    )
    sources = fields.Dict(
        keys=fields.String(), values=fields.Nested(SourceMetaSchema), metadata=shown("How each source stands.")
    )
