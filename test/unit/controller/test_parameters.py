from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from main.controller.parameters import (
    GreetingQuerySchema,
    NoParametersSchema,
    PagingSchema,
    ProductItemSchema,
    ProductQuerySchema,
)
from main.controller.schemas import SourceSchema
from main.service import freshness
from main.service.guardview import describe
from main.service.model import GuardState, Outcome, Query, SourceRecord, Wish
from test.fakes import NOW, make_source
from test.unit.controller.documented import find_faults

QUERY = ProductQuerySchema()


def test_nothing_asked_is_everything_by_name():
    assert QUERY.load({}) == (Query(sort="name", page=1, per_page=30), Wish())
    assert ProductItemSchema().load({}) == ((), Wish())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"q": " desk  lamp "}, {"q": "desk lamp"}),
        ({"q": "!! lamp"}, {"q": "lamp"}),
        ({"brand": ["b", "a", "a"]}, {"brand": ["a", "b "]}),
        ({"gtin": ["4006381333931"]}, {"gtin": ["04006381333931", "4006381333931"]}),
        ({"availability": ["INSTOCK,soldout"]}, {"availability": ["SoldOut", "InStock"]}),
        ({"min_price": "10"}, {"min_price": "10.0000"}),
        ({"facets": ["price,brand"]}, {"facets": ["brand", "price"]}),
        ({"fields": ["name"]}, {"fields": ["id,name,NAME"]}),
        ({"sort": "relevance"}, {"sort": "name"}),
        ({"q": "lamp", "sort": "relevance"}, {"q": "lamp"}),
        ({"q": ""}, {}),
    ],
)
def test_two_requests_that_mean_the_same_are_one_query(one: dict[str, Any], other: dict[str, Any]):
    assert QUERY.load(one) == QUERY.load(other)
    assert hash(QUERY.load(one)) == hash(QUERY.load(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"q": "lamp"}, {"q": "lamp*"}),
        ({"brand": ["a"]}, {"category": ["a"]}),
        ({"min_price": "1"}, {"max_price": "1"}),
        ({"q": "a b"}, {"q": '"a b"'}),
    ],
)
def test_two_requests_that_mean_something_else_are_two_queries(one: dict[str, Any], other: dict[str, Any]):
    assert QUERY.load(one) != QUERY.load(other)


def test_amounts_are_compared_on_one_integer_scale():
    query, _ = QUERY.load({"min_price": "0.0001", "max_price": "999999999999.9999"})
    assert (query.min_price, query.max_price) == (1, 9_999_999_999_999_999)


@pytest.mark.parametrize(
    "schema", [PagingSchema, ProductQuerySchema, ProductItemSchema, NoParametersSchema, GreetingQuerySchema]
)
def test_no_schema_of_parameters_takes_unknown_ones(schema: Any):
    with pytest.raises(ValidationError) as refused:
        schema().load({"unknown": "1"})
    known = ", ".join(name.removesuffix("_") for name in schema().fields) or "none"
    assert refused.value.messages == {"unknown": [f"is unknown; there is: {known}"]}


def test_a_wish_says_whether_shops_are_asked_how_long_that_may_take_and_who_must_answer():
    asked = {"live": "true", "deadline_ms": "500", "require": ["b", "a"]}
    wish = Wish(live=True, deadline_ms=500, require=("a", "b"))
    assert QUERY.load(asked)[1] == ProductItemSchema().load(asked)[1] == wish


TEXTS = st.text(max_size=20)


LISTS = st.lists(TEXTS, max_size=3)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(
                ("q", "min_price", "max_price", "currency", "min_rating", "sort", "page", "per_page", "live", "deadline_ms"),
                TEXTS,
            ),
            **dict.fromkeys(("source", "brand", "category", "gtin", "availability", "fields", "facets", "require"), LISTS),
        },
    )
)
def test_any_parameters_give_a_query_or_name_what_is_wrong(asked: dict[str, Any]):
    errors = QUERY.validate(asked)
    assert set(errors) <= set(asked)
    if not errors:
        assert QUERY.load(asked) == QUERY.load(asked)


def test_a_source_shows_what_is_known_of_it_and_nothing_secret():
    record = SourceRecord(name="acme", products=3, synced_at=NOW, attempted_at=NOW, outcome=Outcome.OK, duration_ms=250)
    status = freshness.decide(make_source(headers={"X-Key": "hunter2"}), record, NOW + dt.timedelta(seconds=42))
    shown = SourceSchema().dump(replace(status, guard=describe(GuardState(), NOW.timestamp())))
    assert find_faults({"$ref": "#/definitions/Source"}, shown) == []
    assert (shown["name"], shown["state"], shown["age_s"], shown["products"], shown["outcome"]) == (
        "acme",
        "fresh",
        42,
        3,
        "ok",
    )
    assert set(shown) == set(SourceSchema().fields)
    assert "hunter2" not in str(shown)
