"""Kind magento2, with what its API really answers."""

import json
from datetime import UTC, datetime

import pytest
from werkzeug import Response

from main.service.errors import RecordRejected, UpstreamGarbled
from main.service.model import Money
from test.unit.resources.upstream.payloads import paged, payload
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

RECORD = {
    "id": 1,
    "sku": "24-MB01",
    "name": "Bag",
    "price": 34,
    "status": 1,
    "visibility": 4,
    "updated_at": "2019-12-11 19:48:39",
    "media_gallery_entries": [{"file": "/m/b/1.jpg", "disabled": False}, {"file": "/m/b/2.jpg", "disabled": True}],
    "custom_attributes": [
        {"attribute_code": "url_key", "value": "bag"},
        {"attribute_code": "special_price", "value": "24.0000"},
    ],
}


def shop(rows):
    def answer(request):
        page, size = int(request.args["searchCriteria[currentPage]"]), int(request.args["searchCriteria[pageSize]"])
        assert request.path == "/rest/V1/products"
        last = max(1, -(-len(rows) // size))
        # A page past the end is the last one again.
        return Response(json.dumps({"items": paged(rows, min(page, last), size), "total_count": len(rows)}))

    return canned(answer)


def load(dial, **changes):
    return dial(shop([]), "magento2").load(json.dumps(RECORD | changes).encode())


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (100, 1), (101, 2), (250, 3)])
def test_no_page_past_the_end_is_asked_for(dial, count, calls):
    rows = [RECORD | {"sku": str(number)} for number in range(count)]
    records, made = crawl(dial(shop(rows), "magento2"))
    assert (len(records), len(set(records)), len(made)) == (count, count, calls)


def test_each_field_finds_its_place(dial):
    product = load(dial)
    assert (product.source_id, product.price) == ("24-MB01", Money(3400, "EUR"))
    assert product.updated_at == datetime(2019, 12, 11, 19, 48, 39, tzinfo=UTC)
    base = product.url.removesuffix("/bag.html")
    assert product.images == (f"{base}/media/catalog/product/m/b/1.jpg",)


@pytest.mark.parametrize("price", [0, "0.0000", None])
def test_without_a_price_of_its_own_the_special_price_counts(dial, price):
    assert load(dial, price=price).price == Money(2400, "EUR")


def test_without_any_price_it_is_rejected(dial):
    with pytest.raises(RecordRejected, match="price: is missing"):
        load(dial, price=0, custom_attributes=[])


@pytest.mark.parametrize(("changes", "reason"), [({"visibility": 1}, "not sold alone"), ({"status": 2}, "not on sale")])
def test_what_is_not_sold_says_why(dial, changes, reason):
    with pytest.raises(RecordRejected, match=reason):
        load(dial, **changes)


def test_without_images_and_key_there_are_none(dial):
    product = load(dial, media_gallery_entries=None, custom_attributes=None, status=None, visibility=None)
    assert (product.images, product.url) == ((), None)


def test_every_product_of_a_real_answer_is_read_or_says_why_not(dial):
    rows = payload("magento2/rest_v1_products_page1_size100.json")["items"]
    connector = dial(shop(rows), "magento2", currency="USD")
    products, rejected = load_all(connector, crawl(connector)[0])
    assert (len(products), len(rejected)) == (37, 63)
    assert sum(faults[0][0] == "visibility" for faults in rejected.values()) == 57
    assert sum(faults[0][0] == "price" for faults in rejected.values()) == 6
    assert all(product.images and product.url and product.description for product in products)


FILTER = "searchCriteria[filter_groups][90][filters][0]"


def filtered(rows):
    def answer(request):
        word, value = request.args[f"{FILTER}[condition_type]"], request.args[f"{FILTER}[value]"]
        assert (request.args[f"{FILTER}[field]"], request.args["searchCriteria[pageSize]"]) == ("sku", "50")
        wanted = value.split(",") if word == "in" else [value]
        found = [row for row in rows if row["sku"] in wanted]
        return Response(json.dumps({"items": found or None, "total_count": len(found)}))

    return canned(answer)


def test_many_skus_are_one_call_and_one_with_a_comma_its_own(dial):
    connector = dial(filtered([RECORD, RECORD | {"sku": "a,b", "price": 5}]), "magento2")
    found = look(connector, "24-MB01", "a,b", "c/../d")
    assert connector.look_size == 50
    assert {key: connector.load(raw).price for key, raw in found.items()} == {
        "24-MB01": Money(3400, "EUR"),
        "a,b": Money(500, "EUR"),
    }
    assert look(connector, "none") == {}


def test_a_product_that_was_not_asked_for_is_garbled(dial):
    with pytest.raises(UpstreamGarbled, match="another product"):
        look(dial(canned(lambda _: Response(json.dumps({"items": [RECORD]}))), "magento2"), "x")


def test_each_product_of_a_real_answer_looked_at_costs_what_it_costs_in_the_list(dial):
    rows = payload("magento2/rest_v1_products_page1_size100.json")["items"]
    connector = dial(filtered(rows), "magento2", currency="USD")
    products, _ = load_all(connector, [json.dumps(row).encode() for row in rows])
    found = look(connector, *(product.source_id for product in products))
    assert {key: connector.load(raw).price for key, raw in found.items()} == {
        product.source_id: product.price for product in products
    }
