from __future__ import annotations

import datetime as dt

import orjson

from main.controller.documents import PRODUCT_FIELDS, dump_product
from main.service.model import Availability, Money, PriceRange, Rating, Variant
from test.fakes import NOW, make_product
from test.unit.controller.documented import find_faults


def test_what_is_not_known_is_left_out():
    document = orjson.loads(dump_product(make_product(7, "lumen", price=None)))
    assert document == {
        "id": "lumen:7",
        "source": "lumen",
        "source_id": "7",
        "name": "Lamp 7",
        "images": [],
        "tags": [],
        "variants": [],
        "attributes": {},
        "fetched_at": "2026-03-01T12:00:00.000Z",
    }


def test_everything_known_is_shown_and_as_documented():
    euro = Money(1999, "EUR")
    variant = Variant("1", "brass", "L-1", "04006381333931", euro, Availability.SOLD_OUT, 0, {"Colour": "brass"})
    product = make_product(
        "a/b 100%",
        "lumen",
        price=euro,
        brand="Halden",
        description="Zwei\nZeilen",
        category="Lamps",
        price_range=PriceRange(euro, Money(2999, "EUR")),
        availability=Availability.IN_STOCK,
        stock=0,
        rating=Rating(4.5, None),
        gtin="04006381333931",
        sku="L",
        url="https://lumen.example/1",
        images=("https://lumen.example/1.jpg",),
        tags=("desk",),
        variants=(variant,),
        attributes={"barcode": "x"},
        updated_at=NOW.astimezone(dt.timezone(dt.timedelta(hours=2))),
    )
    document = orjson.loads(dump_product(product))
    assert find_faults({"$ref": "#/definitions/Product"}, document) == []
    assert set(document) == set(PRODUCT_FIELDS)
    assert document["id"] == "lumen:a/b 100%"
    assert document["price_range"] == {
        "lowest": {"amount": "19.99", "currency": "EUR"},
        "highest": {"amount": "29.99", "currency": "EUR"},
    }
    assert document["stock"] == document["variants"][0]["stock"] == 0
    assert document["rating"] == {"average": 4.5}
    assert document["updated_at"] == document["fetched_at"] == "2026-03-01T12:00:00.000Z"


def test_money_is_a_decimal_string_whatever_the_currency():
    amounts = {"JPY": (1999, "1999"), "KWD": (1999, "1.999"), "EUR": (5, "0.05")}
    for currency, (minor, text) in amounts.items():
        price = orjson.loads(dump_product(make_product(price=Money(minor, currency))))["price"]
        assert price == {"amount": text, "currency": currency}
