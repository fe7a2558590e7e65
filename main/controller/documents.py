"""The product as the API shows it: one marshmallow schema, from which the stored JSON and the Swagger model are made."""

from __future__ import annotations

from typing import Any

import orjson
from marshmallow import Schema, fields, post_dump

from main.service.model import Availability, Product
from main.util.clock import isoformat


class UtcTime(fields.DateTime):
    """A time as RFC 3339 in UTC, to the millisecond."""

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


class MoneySchema(Document):
    """An exact amount of money."""

    amount = fields.String(metadata=shown("Decimal string, never a float.", "19.99"))
    currency = fields.String(metadata=shown("ISO 4217 code.", "EUR"))


class PriceRangeSchema(Document):
    """Lowest and highest price among a product's variants."""

    lowest = fields.Nested(MoneySchema)
    highest = fields.Nested(MoneySchema)


class RatingSchema(Document):
    """What buyers thought."""

    average = fields.Float(metadata=shown("0 to 5.", 4.3))
    count = fields.Integer(metadata=shown("How many rated; left out where the shop does not say.", 23))


_AVAILABILITY = {"enum": [word.value for word in Availability]}


class VariantSchema(Document):
    """One form of a product: a size, a colour."""

    id = fields.String(metadata=shown("The source's own id of the variant.", "4471"))
    name = fields.String(metadata=shown("Its options in words.", "brass / 40 cm"))
    sku = fields.String()
    gtin = fields.String(metadata=shown("GTIN-14 with a proven check digit.", "04006381333931"))
    price = fields.Nested(MoneySchema)
    availability = fields.String(metadata=shown("A word of schema.org/ItemAvailability.", **_AVAILABILITY))
    stock = fields.Integer()
    options = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata=shown("Option name to value.", {"Colour": "brass"})
    )


class ProductSchema(Document):
    """One thing as one source sells it; absent values are left out."""

    id = fields.String(required=True, metadata=shown("<source>:<the source's own id>.", "lumen:7001"))
    source = fields.String(required=True, metadata=shown("The source's name.", "lumen"))
    source_id = fields.String(required=True, metadata=shown("The source's own id.", "7001"))
    name = fields.String(required=True, metadata=shown("One line of text.", "Brass desk lamp"))
    brand = fields.String()
    description = fields.String(metadata=shown("Plain text; a shop's HTML is cleaned."))
    category = fields.String()
    price = fields.Nested(MoneySchema, metadata=shown("The lowest price that can be bought."))
    price_range = fields.Nested(PriceRangeSchema, metadata=shown("Only where the variants' prices differ."))
    availability = fields.String(metadata=shown("A word of schema.org/ItemAvailability.", **_AVAILABILITY))
    stock = fields.Integer(metadata=shown("Whole pieces, where the shop tells.", 12))
    rating = fields.Nested(RatingSchema)
    gtin = fields.String(metadata=shown("GTIN-14 with a proven check digit.", "04006381333931"))
    sku = fields.String()
    url = fields.String(metadata=shown("The product's page in the shop."))
    images = fields.List(fields.String(), metadata=shown("Absolute URLs."))
    tags = fields.List(fields.String())
    variants = fields.List(fields.Nested(VariantSchema))
    attributes = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata=shown("What is worth keeping but proves nothing, such as a wrong barcode."),
    )
    updated_at = UtcTime(metadata=shown("When the shop last changed it, where it tells."))
    fetched_at = UtcTime(required=True, metadata=shown("When Aisle fetched the record as it stands here."))


_SCHEMA = ProductSchema()
PRODUCT_FIELDS = tuple(_SCHEMA.fields)


def dump_product(product: Product) -> bytes:
    """Give a product's JSON document, as it is stored and served."""
    return orjson.dumps(_SCHEMA.dump(product))
