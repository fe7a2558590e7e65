"""Kind medusa, both versions of its Store API."""

import json

import pytest
from werkzeug import Response

from main.service.errors import UpstreamGarbled
from main.service.model import FieldMap, FieldRule, Listing, Money, PriceRange
from test.unit.resources.upstream.shops import canned, crawl, look

V2 = {
    "id": "prod_1",
    "title": "Shirt",
    "thumbnail": "https://c.example/t.jpg",
    "images": [],
    "tags": [{"value": "new"}],
    "collection": {"title": "Summer"},
    "variants": [
        {"id": "v1", "title": "S", "sku": "S1", "calculated_price": {"calculated_amount": 19.5, "currency_code": "eur"}},
        {
            "id": "v2",
            "title": "M",
            "calculated_price": {"calculated_amount": 25, "currency_code": "eur"},
            "inventory_quantity": 3,
        },
    ],
}
V1 = V2 | {"variants": [{"id": "v1", "title": "S", "prices": [{"amount": 1950, "currency_code": "eur"}]}]}


def shop(rows):
    def answer(request):
        offset, limit = int(request.args["offset"]), int(request.args["limit"])
        assert request.path == "/store/products"
        return Response(
            json.dumps({"products": rows[offset : offset + limit], "count": len(rows), "offset": offset, "limit": limit})
        )

    return canned(answer)


def load(dial, record, **more):
    return dial(shop([]), "medusa", **{"currency": None, **more}).load(json.dumps(record).encode())


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (100, 1), (250, 3)])
def test_offsets_go_up_to_the_count(dial, count, calls):
    records, made = crawl(dial(shop([V2 | {"id": str(number)} for number in range(count)]), "medusa"))
    assert (len(records), len(made)) == (count, calls)


def test_prices_of_version_2_are_in_major_units(dial):
    product = load(dial, V2)
    assert (product.price, product.price_range) == (Money(1950, "EUR"), PriceRange(Money(1950, "EUR"), Money(2500, "EUR")))
    assert (product.category, product.tags, product.images) == ("Summer", ("new",), ("https://c.example/t.jpg",))
    assert [(v.name, v.sku, v.stock) for v in product.variants] == [("S", "S1", None), ("M", None, 3)]


@pytest.mark.parametrize("calculated", [None, 1950])
def test_prices_of_version_1_are_in_minor_units(dial, calculated):
    record = V1 | {"variants": [V1["variants"][0] | {"calculated_price": calculated}]}
    assert load(dial, record, api="v1").price == Money(1950, "EUR")


def test_variants_of_the_settings_stand_as_they_are(dial):
    own = FieldMap(variants="variants", variant_fields={"id": FieldRule("id"), "price": FieldRule("`7`")})
    assert load(dial, V1, api="v1", mapping=own, currency="EUR").price == Money(700, "EUR")


def test_the_ids_are_one_call_with_the_settings_parameters(dial):
    asked = []

    def answer(request):
        asked.append((request.args.getlist("id[]"), request.args["region_id"], request.args["limit"]))
        return Response(json.dumps({"products": [V2], "count": 1}))

    connector = dial(canned(answer), "medusa", listing=Listing(params={"region_id": "reg_1", "limit": "7"}))
    found = look(connector, "prod_1", "a,b/../?")
    assert (connector.look_size, connector.load(found["prod_1"]).price) == (50, Money(1950, "EUR"))
    assert asked == [(["prod_1"], "reg_1", "50"), (["a,b/../?"], "reg_1", "50")]


def test_a_product_that_was_not_asked_for_is_garbled(dial):
    with pytest.raises(UpstreamGarbled, match="another product"):
        look(dial(canned(lambda _: Response(json.dumps({"products": [V2]}))), "medusa"), "prod_2")


@pytest.mark.parametrize("body", ["{}", '{"products": null}', '{"products": 5}'])
def test_an_answer_without_the_list_is_garbled(dial, body):
    with pytest.raises(UpstreamGarbled, match="no list of products"):
        look(dial(canned(lambda _: Response(body)), "medusa"), "prod_1")


def test_variants_carry_the_options_that_are_told(dial):
    options = [{"value": "S", "option": {"title": "Size"}}, {"value": "Red"}]
    (variant,) = load(dial, V2 | {"variants": [V2["variants"][0] | {"options": options}]}).variants
    assert (variant.name, variant.options) == ("S", {"Size": "S"})
