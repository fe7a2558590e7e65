"""Kind dummyjson, against the sample dialect and against shops that bend it."""

from datetime import UTC, datetime

import orjson
import pytest
from werkzeug import Response

from main.service.errors import CrawlIncomplete, UpstreamGarbled
from main.service.model import Availability, Money, Rating
from sample.dialects import dummyjson_app
from sample.generate import generated_app
from sample.records import Records
from test.unit.resources.upstream.shops import canned, crawl, load_all

RECORD = {
    "id": 1,
    "title": "Mascara &amp; more",
    "description": "<p>Black</p>",
    "category": "beauty",
    "price": 9.99,
    "rating": 2.56,
    "stock": 99,
    "tags": ["beauty", "mascara"],
    "brand": "Essence",
    "sku": "BEA-1",
    "availabilityStatus": "Low Stock",
    "reviews": [{}, {}, {}],
    "meta": {"barcode": "4260488132709", "updatedAt": "2025-04-30T09:41:02.053Z"},
    "images": ["https://cdn.example/1.webp"],
}


def load(dial, **changes: object):
    connector = dial(dummyjson_app(Records([])), "dummyjson")
    return connector.load(orjson.dumps(RECORD | changes))


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (200, 1), (201, 2), (450, 3)])
def test_every_product_is_read_once_in_as_few_calls_as_it_takes(dial, count, calls):
    connector = dial(generated_app(count), "dummyjson")
    records, made = crawl(connector)
    products, rejected = load_all(connector, records)
    assert (len(made), len(products), rejected) == (calls, count, {})
    assert [product.source_id for product in products] == [str(number) for number in range(1, count + 1)]


def test_a_shop_that_clamps_the_limit_is_paged_by_what_it_gave(dial):
    rows = [RECORD | {"id": number} for number in range(1, 26)]

    def answer(request):
        skip = int(request.args["skip"])
        return Response(orjson.dumps({"products": rows[skip : skip + 10], "total": 25, "limit": 200, "skip": skip}))

    records, made = crawl(dial(canned(answer), "dummyjson"))
    assert (len(records), made) == (25, [None, 10, 20])


def test_a_total_beyond_max_products_is_refused_before_any_call_is_planned(dial):
    app = canned(lambda _: Response(orjson.dumps({"products": [RECORD], "total": 5_000_000})))
    with pytest.raises(CrawlIncomplete, match="more than the 250000 products"):
        dial(app, "dummyjson").fetch(None)


@pytest.mark.parametrize("total", [None, "194", 1.5])
def test_an_answer_without_a_total_is_garbled(dial, total):
    app = canned(lambda _: Response(orjson.dumps({"products": [], "total": total})))
    with pytest.raises(UpstreamGarbled, match="does not say how many"):
        dial(app, "dummyjson").fetch(None)


def test_a_page_past_the_end_is_empty(dial):
    assert tuple(dial(generated_app(5), "dummyjson").fetch(200).records) == ()


def test_a_html_page_is_garbled(dial):
    with pytest.raises(UpstreamGarbled, match="HTML"):
        dial(canned(lambda _: Response("<!doctype html><title>Down</title>")), "dummyjson").fetch(None)


def test_each_field_finds_its_place(dial):
    product = load(dial)
    assert (product.id, product.name, product.description) == ("acme:1", "Mascara & more", "Black")
    assert (product.category, product.brand, product.sku, product.tags) == ("beauty", "Essence", "BEA-1", ("beauty", "mascara"))
    assert (product.price, product.rating, product.stock) == (Money(999, "EUR"), Rating(2.56, 3), 99)
    assert (product.availability, product.images) == (Availability.LIMITED, ("https://cdn.example/1.webp",))
    assert product.updated_at == datetime(2025, 4, 30, 9, 41, 2, 53000, tzinfo=UTC)


def test_even_a_valid_barcode_is_an_attribute_because_the_api_invents_them(dial):
    product = load(dial)
    assert (product.gtin, product.attributes) == (None, {"barcode": "4260488132709"})


@pytest.mark.parametrize("key", sorted(set(RECORD) - {"id", "title", "price"}))
@pytest.mark.parametrize("value", [None, "", 5, [], {}])
def test_what_decorates_may_be_anything(dial, key, value):
    assert load(dial, **{key: value}).price == Money(999, "EUR")


@pytest.mark.parametrize(
    ("word", "availability"),
    [("In Stock", "InStock"), ("Low Stock", "LimitedAvailability"), ("Out of Stock", "OutOfStock"), ("Soon", None)],
)
def test_the_shops_word_for_availability_becomes_schema_orgs(dial, word, availability):
    assert load(dial, availabilityStatus=word).availability == availability


def test_without_reviews_listed_nobody_says_how_many_rated(dial):
    assert load(dial, reviews=None).rating == Rating(2.56, None)
    assert load(dial, reviews=[]).rating is None
