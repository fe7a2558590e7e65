"""The product as the API shows it: one marshmallow schema, from which the stored JSON and the Swagger model are made."""

from __future__ import annotations

from typing import Any

import orjson
from marshmallow import Schema, fields, post_dump

from main.service.model import Availability, LookState, Product
from main.util.clock import isoformat


class UtcTime(fields.DateTime):
    """A time as RFC 3339 in UTC, to the millisecond."""

    example = "2026-11-21T09:30:00.000Z"

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        return None if value is None else isoformat(value)


class Document(Schema):
    """A schema whose absent values are left out."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read a plain attribute: what is shown are frozen objects, never paths into mappings."""
        return getattr(obj, attr, default)

    @post_dump
    def drop_absent(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what is not known."""
        return {key: value for key, value in data.items() if value is not None}


def shown(description: str, example: Any = None, **more: Any) -> dict[str, Any]:
    """Give the metadata the Swagger document shows for a field."""
    return {"description": description, **({} if example is None else {"example": example}), **more}


class PageSchema(Schema):
    """What every page of a list says of its place; a list adds its ``data`` and its ``total``."""

    page = fields.Integer(required=True, metadata=shown("Which page this is.", 1))
    per_page = fields.Integer(required=True, metadata=shown("How many fit on a page.", 30))
    pages = fields.Integer(required=True, metadata=shown("How many pages that makes.", 7))


class MoneySchema(Document):
    """An exact amount of money."""

    amount = fields.String(metadata=shown("Decimal string, never a float.", "19.99"))
    currency = fields.String(metadata=shown("ISO 4217 code.", "EUR"))


class PriceRangeSchema(Document):
    """Lowest and highest price among a product's variants."""

    lowest = fields.Nested(MoneySchema, metadata=shown("The cheapest variant's."))
    highest = fields.Nested(MoneySchema, metadata=shown("The dearest variant's."))


class RatingSchema(Document):
    """What buyers thought."""

    average = fields.Float(metadata=shown("0 to 5.", 4.3))
    count = fields.Integer(metadata=shown("How many rated; left out where the shop does not say.", 23))


_AVAILABILITY = {"enum": [word.value for word in Availability]}


class VariantSchema(Document):
    """One form of a product: a size, a colour."""

    id = fields.String(metadata=shown("The source's own id of the variant.", "4471"))
    name = fields.String(metadata=shown("Its options in words.", "brass / 40 cm"))
    sku = fields.String(metadata=shown("The shop's own article number.", "LMP-40-BR"))
    gtin = fields.String(metadata=shown("GTIN-14 with a proven check digit.", "04006381333931"))
    price = fields.Nested(MoneySchema, metadata=shown("What this form costs."))
    availability = fields.String(metadata=shown("A word of schema.org/ItemAvailability.", "InStock", **_AVAILABILITY))
    stock = fields.Integer(metadata=shown("Whole pieces, where the shop tells.", 12))
    options = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata=shown("Option name to value.", {"Colour": "brass"})
    )


class ProductSchema(Document):
    """One thing as one source sells it; absent values, and those that ``fields`` does not name, are left out."""

    id = fields.String(required=True, metadata=shown("<source>:<the source's own id>.", "lumen:7800100000001"))
    source = fields.String(metadata=shown("The source's name.", "lumen"))
    source_id = fields.String(metadata=shown("The source's own id.", "7800100000001"))
    name = fields.String(metadata=shown("One line of text.", "Brass desk lamp"))
    brand = fields.String(metadata=shown("Who makes it.", "Halden"))
    description = fields.String(metadata=shown("Plain text; a shop's HTML is cleaned.", "Solid brass, with a dimmer."))
    category = fields.String(metadata=shown("What kind of thing it is.", "Lamps"))
    price = fields.Nested(MoneySchema, metadata=shown("The lowest price that can be bought."))
    price_range = fields.Nested(PriceRangeSchema, metadata=shown("Only where the variants' prices differ."))
    availability = fields.String(metadata=shown("A word of schema.org/ItemAvailability.", "InStock", **_AVAILABILITY))
    stock = fields.Integer(metadata=shown("Whole pieces, where the shop tells.", 12))
    rating = fields.Nested(RatingSchema, metadata=shown("What buyers thought."))
    gtin = fields.String(metadata=shown("GTIN-14 with a proven check digit.", "04006381333931"))
    sku = fields.String(metadata=shown("The shop's own article number.", "LMP-40"))
    url = fields.String(metadata=shown("The product's page in the shop.", "https://lumen.example/products/brass-desk-lamp"))
    images = fields.List(fields.String(), metadata=shown("Absolute URLs.", ["https://lumen.example/img/7001.jpg"]))
    tags = fields.List(fields.String(), metadata=shown("The shop's own keywords.", ["desk", "brass"]))
    variants = fields.List(fields.Nested(VariantSchema), metadata=shown("Its forms, where it has several."))
    attributes = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata=shown("What is worth keeping but proves nothing, such as a wrong barcode.", {"barcode": "4006381333932"}),
    )
    updated_at = UtcTime(metadata=shown("When the shop last changed it, where it tells."))
    fetched_at = UtcTime(metadata=shown("When Aisle fetched the record as it stands here."))


class FreshnessSchema(Document):
    """How far a product's price and stock are confirmed; only in answers to ``live=true``."""

    state = fields.String(
        required=True,
        metadata=shown(
            "live: said by the shop now; cached: a moment ago; stale: before that, and the shop was not asked or did not answer;"
            " of a source that cannot be asked for single products, cached: its last sync is good and young; stale: it is not;"
            " else why there is no answer of the shop: the figures are those of the last sync.",
            "live",
            enum=[state.value for state in LookState],
        ),
    )
    age_s = fields.Float(metadata=shown("How many seconds ago the shop has said so.", 0.1))
    reason = fields.String(metadata=shown("Why it is not live, in words.", "The shop did not answer in time."))


class ShownProductSchema(ProductSchema):
    """One thing as one source sells it; absent values, and those that ``fields`` does not name, are left out."""

    freshness = fields.Nested(FreshnessSchema, metadata=shown("How far price and stock are confirmed; only with live=true."))


LIVE_FIELDS = ("price", "price_range", "availability", "stock", "variants")
_SCHEMA = ProductSchema()
_FIGURES = ProductSchema(only=LIVE_FIELDS)
PRODUCT_FIELDS = tuple(_SCHEMA.fields)


def dump_product(product: Product) -> bytes:
    """Give a product's JSON document, as it is stored and served."""
    return orjson.dumps(_SCHEMA.dump(product))


def dump_figures(product: Product) -> bytes:
    """Give what a live look confirms of a product, as JSON: price, stock and the like."""
    return orjson.dumps(_FIGURES.dump(product))
