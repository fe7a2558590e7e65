"""Drafts, each of which must map the payload it was made of."""

import json

import orjson
import pytest
import yaml

from main.resources.upstream.canned import CannedSession
from main.resources.upstream.draft import draft_source, guess_fields, quote
from main.resources.upstream.kinds import connect
from main.resources.upstream.session import Answer
from main.service.errors import UpstreamGarbled
from main.service.model import Money
from main.settings.sources import SourceSchema
from main.util.clock import SystemClock
from main.util.expressions import compile_expression
from test.unit.resources.upstream.payloads import payload

BESPOKE = {
    "result": {
        "count": 120,
        "items": [
            {
                "code": "A1",
                "title": {"en": "Lamp", "ar": "x"},
                "maker": {"name": "Lumen"},
                "pricing": {"net": 19.9, "currency": "EUR"},
                "ean": "4260488132709",
                "media": [{"href": "https://c.example/1.jpg"}],
                "rating": {"rate": 4.5, "count": 7},
                "categories": [{"name": "Lights"}],
                "tags": [],
                "brand": None,
            }
        ],
    }
}
GRAPHQL = {
    "data": {
        "products": {"edges": [{"node": {"id": "1", "title": "Lamp", "price_cents": 1990}}], "pageInfo": {"endCursor": "x"}}
    }
}
ARABIC = {
    "data": [
        {
            "id": 1,
            "name": "\u0645\u0635\u0628\u0627\u062d",
            "price": "1.234,50 EGP",
            "image": "https://c.example/1.jpg",
            "odd-key": 1,
        }
    ]
}


def drafted(content, url="https://api.example/v2/items?p=1&n=50&lang=en", **headers):
    text = draft_source(Answer(url, headers, json.dumps(content).encode()))
    return text, yaml.safe_load(text)["sources"][0]


def mapped(content):
    _, entry = drafted(content)
    source = SourceSchema().load(entry)
    connector = connect(source, SystemClock(), session=CannedSession(source.url, orjson.dumps(content)))
    return connector.load(next(iter(connector.fetch(None).records)))


def test_a_rest_shop_is_drafted_whole():
    text, entry = drafted(BESPOKE)
    assert text.startswith("# A first guess")
    assert (entry["url"], entry["kind"]) == ("https://api.example", "mapped")
    assert entry["list"] == {
        "path": "/v2/items",
        "items": "result.items",
        "params": {"lang": "en"},
        "page": {"style": "page", "param": "p", "size_param": "n", "size": 50, "total": "result.count"},
    }
    product = mapped(BESPOKE)
    assert (product.source_id, product.name, product.brand, product.price) == ("A1", "Lamp", "Lumen", Money(1990, "EUR"))
    assert (product.gtin, product.images, product.category) == ("04260488132709", ("https://c.example/1.jpg",), "Lights")
    assert (product.rating.average, product.rating.count) == (4.5, 7)


def test_a_graphql_shop_is_drafted_through_its_edges():
    _, entry = drafted(GRAPHQL)
    assert entry["list"]["items"] == "data.products.edges[].node"
    assert entry["list"]["page"]["style"] == "cursor"
    assert mapped(GRAPHQL).price == Money(1990, "EUR")


def test_an_arabic_shop_is_drafted_with_its_decimal_comma():
    assert drafted(ARABIC)[1]["fields"]["price"] == {"path": "price", "decimal": ","}
    product = mapped(ARABIC)
    assert (product.price, product.images) == (Money(123450, "EGP"), ("https://c.example/1.jpg",))


def test_a_file_leaves_the_address_to_be_edited():
    entry = drafted([{"id": 1, "name": "a"}], "payload.json")[1]
    assert (entry["url"], entry["list"]["path"], entry["list"]["items"]) == ("https://edit.example", "/EDIT", "@")
    assert entry["priced"] is False


def test_what_is_required_and_was_not_found_is_told_with_what_there_is_to_choose_from():
    text, _ = drafted(
        [{"art": {"nr": "A1", "names": {"de": "Lampe"}}, "prices": [{"kind": "net", "cent": 5}], "empty": [], "é": 1}]
    )
    assert text.splitlines()[1] == (
        "# Not found, to be added under fields: id, name, price. "
        'The records have: art.nr, art.names.de, prices[0].kind, prices[0].cent, empty, "é"'
    )
    assert "Not found" not in drafted(BESPOKE)[0]
    assert drafted([{f"key{number}": 1 for number in range(50)}])[0].splitlines()[1].endswith("key39, ...")


def test_what_is_made_up_is_marked_and_what_was_found_is_not():
    text, entry = drafted([{"id": 1, "name": "a"}], "payload.json")
    assert entry["list"]["page"] == {"style": "none"}
    for line in (
        "      style: none  # no way on was found, so only the first page is read",
        "  priced: false  # no price was found: take this line out once fields.price is there",
        "  currency: EUR  # invented: the records name no currency",
    ):
        assert f"\n{line}" in text
    assert "#" not in drafted(BESPOKE)[0].partition("\n")[2]
    assert "param: cursor  # a guess" in drafted(GRAPHQL)[0]


@pytest.mark.parametrize("key", ["price (net)", 'the "price"', "price\\net", "price\n", "\u0633\u0639\u0631"])
def test_a_key_of_any_letters_gives_an_expression_that_finds_it(key):
    assert compile_expression(quote(key)).search({key: 5}) == 5
    assert drafted([{"id": 1, key: {"amount": 5}}])[1]["fields"]["id"] == "id"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([{"id": 1, "price": "5,00 EGP"}], "EGP  # as it stands beside the first price"),
        ([{"id": 1, "price": "5 or more"}], "EUR  # invented"),
        ({"meta": {"ccy": "usd"}, "rows": [{"id": 1, "price": 5}]}, "USD  # as meta.ccy says"),
        ([{"id": 1, "price": 5, "currency": "\u20ac"}], "EUR  # invented"),
    ],
)
def test_a_currency_that_no_record_names_is_told_with_what_it_comes_from(content, told):
    text, entry = drafted(content)
    assert f"\n  currency: {told}" in text
    assert "currency" not in entry["fields"]


def test_a_link_header_is_the_way_on():
    assert drafted([{"id": 1}], link="<x>")[1]["list"]["page"] == {"style": "link"}


@pytest.mark.parametrize("content", [{}, [], 5, {"a": [1, 2]}])
def test_what_has_no_list_of_objects_cannot_be_drafted(content):
    with pytest.raises(UpstreamGarbled, match="no list"):
        drafted(content)


@pytest.mark.parametrize(
    ("record", "field", "path"),
    [
        ({"Brand-Name": 1, "brand": {"id": 1}}, "brand", None),
        ({"brands": ["a"]}, "brand", "brands[0]"),
        ({"images": [{"big": 1}]}, "images", None),
        ({"images": "https://a.example/1, https://a.example/2"}, "images", "images"),
        ({"images": ["https://a.example/1"]}, "images", "images"),
        ({"tags": []}, "tags", None),
        ({"name_ar": "x"}, "name", "name_ar"),
        ({"Product-Name": "x"}, "name", '"Product-Name"'),
        ({"stock": [1]}, "stock", None),
        ({"slug": "lamp", "number": 7}, "id", "number"),
        ({"slug": "lamp", "sku": "L7"}, "id", "sku"),
        ({"slug": "lamp"}, "id", "slug"),
        ({"ccy": "EUR"}, "currency", "ccy"),
        ({"iso": "DE", "cur": "eur"}, "currency", "cur"),
        ({"currency": "\u20ac", "currencyCode": "EUR"}, "currency", "currencyCode"),
        ({"cost": {"amount": 5, "iso": "USD"}}, "currency", "cost.iso"),
    ],
)
def test_a_key_that_is_likely_is_taken(record, field, path):
    assert guess_fields([record]).get(field) == path


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("platzi/seed_products.json", "id"),
        ("openfoodfacts/facet_code_3596710xxxxxx_page1.json", "id"),
        ("magento2/rest_v1_products_page1_size100.json", "id"),
        ("ebay_browse/item_summary_search_iphone_best_match_limit100.json", "id"),
    ],
)
def test_a_real_answer_gives_settings_that_load(name, key):
    entry = drafted(payload(name))[1]
    assert {key, "name"} <= set(entry["fields"])
    assert SourceSchema().load(entry).name == "edit"
