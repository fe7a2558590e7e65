"""Which connector speaks to which source, and what holds for all of them."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug import Response

from main.resources.upstream.feed import FeedConnector
from main.resources.upstream.kinds import KINDS, connect
from main.resources.upstream.woocommerce import WooCommerceConnector
from main.resources.upstream.woostore import WooStoreConnector
from main.service.errors import RecordRejected, UpstreamGarbled, UpstreamOpen
from main.service.model import Credentials, FieldMap, FieldRule, Money
from main.util.clock import SystemClock
from main.util.secret import Secret
from test.unit.resources.upstream.conftest import A_SOURCE

KEY = Secret("k")
# What has no prices is no product here; its own tests say what holds for it.
NAMES = [*sorted(set(KINDS) - {"openfoodfacts"}), "woostore"]
PATHS = ("name", "brand", "price", "currency", "availability", "stock", "rating", "gtin", "images", "tags", "updated_at")
MAPPING = FieldMap(
    fields={"id": FieldRule("id"), **{path: FieldRule(path) for path in PATHS}},
    variants="forms",
    variant_fields={"id": FieldRule("id"), "price": FieldRule("price", decimal=","), "currency": FieldRule("currency")},
)


def connector_of(name: str):
    api = {"woocommerce": "v3", "woostore": "store"}.get(name)
    mapping = MAPPING if name == "mapped" else FieldMap()
    return connect(replace(A_SOURCE, kind="woocommerce" if api else name, api=api, mapping=mapping), SystemClock())


CONNECTORS = {name: connector_of(name) for name in NAMES}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"woocommerce"}))
def test_each_kind_has_its_connector(kind):
    assert type(connector_of(kind)) is KINDS[kind]


@pytest.mark.parametrize(
    ("api", "credentials", "expected"),
    [
        (None, Credentials(), WooStoreConnector),
        (None, Credentials(basic=(KEY, KEY)), WooCommerceConnector),
        (None, Credentials(query=(("consumer_key", KEY),)), WooCommerceConnector),
        ("v3", Credentials(), WooCommerceConnector),
        ("store", Credentials(basic=(KEY, KEY)), WooStoreConnector),
    ],
)
def test_woocommerce_without_a_key_is_asked_by_its_public_api(api, credentials, expected):
    source = replace(A_SOURCE, kind="woocommerce", api=api, credentials=credentials)
    assert type(connect(source, SystemClock())) is expected


def test_a_shop_whose_answers_cannot_be_read_is_left_alone_after_five(dial):
    shop = dial(Response("<html>Down for maintenance</html>"), "fakestore")
    for _ in range(5):
        with pytest.raises(UpstreamGarbled, match="it is an HTML or XML page"):
            shop.fetch(None)
    with pytest.raises(UpstreamOpen):
        shop.fetch(None)


def test_a_feed_need_not_be_json(dial):
    feed = dial(Response("id,name,price\n1,Lamp,9.90\n"), "feed", format="csv")
    for _ in range(6):
        assert len(list(feed.fetch(None).records)) == 1


def test_nothing_is_called_before_the_first_fetch_and_closing_is_harmless():
    connector = connect(replace(A_SOURCE, kind="feed"), SystemClock())
    assert isinstance(connector, FeedConnector)
    connector.close()
    connector.close()


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,8})?", fullmatch=True)
TEXTS = st.text(max_size=9) | st.sampled_from(
    ["19.99", "1999", "19.99 EUR", "", "draft", "EUR", "JPY", "0001-01-01T00:00+14:00", "1e1000000"]
)
LEAVES = st.none() | st.booleans() | NUMBERS.map(lambda text: msgspec.Raw(text.encode())) | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("x"), inner), max_leaves=3)
VARIANT = {
    "id": 1,
    "title": "S",
    "sku": "a",
    "price": "19.99",
    "barcode": "4260488132709",
    "available": True,
    "inventory_quantity": 3,
}
MONEY = {
    "currency_code": "EUR",
    "currency_minor_unit": 2,
    "price": "1999",
    "price_range": {"min_amount": "1", "max_amount": "9"},
}
NAMED = [{"id": 1, "name": "n", "slug": "s"}]
OPTIONS = [{"name": "Brand", "options": ["b"], "option": "b", "value": "b"}]
RECORDS = {
    "mapped": {"id": 1, "name": "T", "price": "19.99 EUR", "currency": "EUR", "availability": True, "stock": 3, "rating": 4}
    | {"gtin": "4260488132709", "images": "http://a/1", "tags": ["a"], "updated_at": 1594385263}
    | {"forms": [{"id": 1, "price": "1.999,5", "currency": "EUR"}]},
    "ebay": {"itemId": "1", "title": "T", "price": {"value": "9.99", "currency": "EUR"}, "image": {"imageUrl": "http://a/1"}},
    "magento2": {"sku": "1", "name": "T", "price": 9.99, "status": 1, "visibility": 4, "updated_at": "2026-01-01"}
    | {
        "media_gallery_entries": [{"file": "/a", "disabled": False}],
        "custom_attributes": [{"attribute_code": "special_price", "value": "4"}],
    },
    "medusa": {"id": "1", "title": "T", "tags": [{"value": "a"}], "categories": NAMED, "thumbnail": "http://a/1"}
    | {"variants": [{"id": "1", "calculated_price": {"calculated_amount": 9.99, "currency_code": "eur"}}]},
    "dummyjson": {
        "id": 1,
        "title": "T",
        "price": 9.99,
        "rating": 4.5,
        "stock": 3,
        "tags": ["a"],
        "images": ["http://a/1"],
        "reviews": [{}],
    }
    | {"meta": {"barcode": "4", "updatedAt": "2026-01-01"}},
    "fakestore": {"id": 1, "title": "T", "price": 9.99, "image": "http://a/1", "rating": {"rate": 4.5, "count": 3}},
    "feed": {
        "id": "1",
        "title": "T",
        "price": "19.99 EUR",
        "currency": "EUR",
        "gtin": "4260488132709",
        "rating": "4",
        "rating_count": "2",
    }
    | {
        "image_link": "http://a/1",
        "additional_image_link": "http://a/2",
        "availability": "in stock",
        "quantity": "3",
        "updated_at": "2026-01-01",
    },
    "shopify": {
        "id": 1,
        "title": "T",
        "handle": "h",
        "status": "active",
        "options": [{"name": "Size"}],
        "variants": [VARIANT],
        "tags": "a,b",
    }
    | {"images": [{"src": "http://a/1"}], "updated_at": "2026-01-01"},
    "woocommerce": {
        "id": 1,
        "name": "T",
        "price": "9.99",
        "status": "publish",
        "categories": NAMED,
        "attributes": OPTIONS,
        "stock_quantity": 1.5,
    }
    | {"average_rating": "4.5", "rating_count": 3, "global_unique_id": "4", "_variations": [VARIANT | {"attributes": OPTIONS}]},
    "woostore": {
        "id": 1,
        "name": "T",
        "prices": MONEY,
        "average_rating": "4",
        "review_count": 2,
        "variations": [{"id": 2, "attributes": OPTIONS}],
    }
    | {"is_in_stock": True, "is_on_backorder": False, "low_stock_remaining": 2, "brands": NAMED},
}


def loosened(value: object) -> st.SearchStrategy:
    """Give the value, most often, with parts of it missing or replaced by anything."""
    if isinstance(value, dict):
        kept = st.fixed_dictionaries({}, optional={key: loosened(below) for key, below in value.items()})
        return st.one_of(st.just(value), kept.map(lambda changes: value | changes), kept, VALUES)
    if isinstance(value, list):
        return st.one_of(st.just(value), st.lists(loosened(value[0]), max_size=3), VALUES)
    return st.one_of(st.just(value), LEAVES, VALUES)


def is_exact(money: Money | None) -> bool:
    return money is None or (type(money.minor) is int and money.minor >= 0 and len(money.currency) == 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_records_that_are_bent_below_are_products_as_they_stand(name):
    assert CONNECTORS[name].load(msgspec.json.encode(RECORDS[name])).name == "T"


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_object_is_a_product_with_exact_prices_or_is_rejected_with_reasons(name, data):
    try:
        product = CONNECTORS[name].load(msgspec.json.encode(data.draw(loosened(RECORDS[name]))))
    except RecordRejected as rejection:
        assert rejection.faults  # noqa: PT017 - both ways out are right, each has its own promise
        assert all(fault.field and fault.reason for fault in rejection.faults)  # noqa: PT017
        return
    assert product.price is not None
    assert is_exact(product.price)
    assert product.price_range is None or (is_exact(product.price_range.lowest) and is_exact(product.price_range.highest))
    assert all(is_exact(variant.price) for variant in product.variants)
    assert product.source_id
    assert product.name


@pytest.mark.parametrize("name", NAMES)
@given(raw=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_rejected_or_a_product(name, raw):
    try:
        CONNECTORS[name].load(raw)
    except RecordRejected as rejection:
        assert rejection.faults  # noqa: PT017 - the same
