from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from main.controller.console.filters import address, build_filters, build_steps, given_args
from main.controller.views import hide_from
from main.service.model import SORTS, Bucket, PriceBucket, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = 10_000
NOTHING: frozenset[str] = frozenset()


@pytest.fixture
def asked() -> Iterator[MultiDict[str, str]]:
    app = Flask("x")
    with app.test_request_context(
        "/console/products?q=rug&brand=&brand=A&min_price=+&page=2&gtin=4006381333931", base_url="http://x/shop"
    ):
        yield given_args()


def test_boxes_that_were_left_empty_say_nothing(asked: MultiDict[str, str]):
    assert list(asked.items(multi=True)) == [("q", "rug"), ("brand", "A"), ("page", "2"), ("gtin", "4006381333931")]


def test_choices_have_their_counts_and_what_is_chosen_stays(asked: MultiDict[str, str]):
    facets = {"brand": (Bucket("B", 3),), "availability": (Bucket("InStock", 2),), "source": (), "category": ()}
    found = build_filters(asked, facets, NOTHING)
    assert found.groups["brand"] == (("B", "B", 3, False), ("A", "A", 0, True))
    assert found.groups["availability"] == (("InStock", "In stock", 2, False),)
    assert set(found.groups) == {"brand", "availability"}
    assert (found.label("brand"), found.in_use) == ("Brand", 2)
    assert found.kept == (("gtin", "4006381333931"),)


def test_a_price_band_leads_to_exactly_its_products(asked: MultiDict[str, str]):
    buckets = (
        PriceBucket("EUR", 10 * UNIT, 25 * UNIT, 4),
        PriceBucket("JPY", 10 * UNIT, 25 * UNIT, 1),
        PriceBucket("KWD", 10 * UNIT, 25 * UNIT, 1),
        PriceBucket("EUR", 1000 * UNIT, None, 2),
    )
    bands = build_filters(asked, {"price": buckets}, NOTHING).bands
    assert [(band.label, band.number) for band in bands[::3]] == [("10 to 25 EUR", 4), ("1000 and more EUR", 2)]
    kept = "/shop/console/products?q=rug&brand=A&gtin=4006381333931&min_price=10&max_price="
    assert [band.url for band in bands[:3]] == [
        f"{kept}{most}&currency={code}" for most, code in (("24.99", "EUR"), ("24", "JPY"), ("24.999", "KWD"))
    ]
    assert "max_price" not in bands[3].url


def test_what_is_hidden_is_not_offered(asked: MultiDict[str, str]):
    hidden = hide_from({Role.READER: ["price", "brand"]})[Role.READER]
    found = build_filters(asked, {"brand": (Bucket("B", 3),), "source": (Bucket("lumen", 1),)}, hidden)
    assert set(found.groups) == {"source"}
    assert [found.offers(name) for name in ("q", "min_price", "min_rating")] == [False, False, True]
    assert [sort for sort, _ in found.sorts] == ["relevance", "name", "-rating", "-updated"]
    assert "brand" not in found.boxes


def test_every_order_has_words(asked: MultiDict[str, str]):
    sorts = build_filters(asked, {}, NOTHING).sorts
    assert tuple(sort for sort, _ in sorts) == SORTS
    assert len({words for _, words in sorts}) == len(SORTS)


def test_addresses_keep_the_rest(asked: MultiDict[str, str]):
    found = build_filters(asked, {}, NOTHING)
    assert found.base == "/shop/console/products"
    assert found.cleared == "/shop/console/products?q=rug"
    assert found.live.endswith("page=2&gtin=4006381333931&live=true")
    assert address(MultiDict([("q", 'a&b=ü "<')]), page=2) == "/shop/console/products?q=a%26b%3D%C3%BC+%22%3C&page=2"


def test_what_is_wrong_is_told_by_the_name_of_its_box(asked: MultiDict[str, str]):
    found = build_filters(asked, {}, NOTHING)
    assert (found.tell("min_price"), found.tell("odd")) == ("The lowest price", "odd")


def test_the_way_through_a_list(asked: MultiDict[str, str]):
    steps = build_steps(asked, 5, 10, 95)
    assert [step.number for step in steps.near] == [1, 3, 4, 5, 6, 7, 10]
    assert [step.number for step in steps.near if step.url is None] == [5]
    assert (steps.page, steps.last) == (5, 10)
    assert steps.previous.endswith("page=4")
    assert steps.following.endswith("page=6")


def test_the_ends_of_a_list(asked: MultiDict[str, str]):
    first, last, empty, beyond = (build_steps(asked, *of) for of in ((1, 10, 20), (2, 10, 20), (1, 10, 0), (9, 10, 20)))
    assert (first.previous, last.following) == (None, None)
    assert (empty.last, empty.previous, empty.following) == (1, None, None)
    assert beyond.previous.endswith("page=2")


def test_no_step_leads_deeper_than_pages_can_be_asked_for(asked: MultiDict[str, str]):
    assert build_steps(asked, 1, 100, 10_000_000).last == 1000
