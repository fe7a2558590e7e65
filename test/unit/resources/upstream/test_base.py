"""What every connector shares: strict JSON, and faults in words with the path of the field."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from marshmallow import ValidationError, fields

from main.resources.upstream.base import RecordSchema, price_of, rating_of, read_json, split_list, stock_of
from main.resources.upstream.kinds import connect
from main.resources.upstream.session import Answer
from main.service.errors import RecordRejected, UpstreamGarbled
from main.service.model import Availability, Credentials, Money, PriceRange, Rate, Rating, Variant
from main.util.clock import SystemClock
from main.util.secret import Secret
from test.unit.resources.upstream.conftest import A_SOURCE


class StoppedClock(SystemClock):
    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)


def connector(**more: object):
    return connect(replace(A_SOURCE, **more), StoppedClock())


def rejected(raw: bytes, **more: object) -> list[tuple[str, str]]:
    with pytest.raises(RecordRejected) as caught:
        connector(**more).load(raw)
    return [(fault.field, fault.reason) for fault in caught.value.faults]


class TestSplitList:
    def test_a_bare_list_is_cut_into_its_records_as_they_were_written(self):
        assert split_list(b' \r\n[{"a": 1.10} , 2,"x",null]') == ((b'{"a": 1.10}', b"2", b'"x"', b"null"), {})

    def test_an_envelope_gives_the_records_and_what_stands_beside_them(self):
        records, beside = split_list(b'{"total": 2, "price": 1.10, "products": [{}, {}]}', "products")
        assert (records, beside) == ((b"{}", b"{}"), {"total": 2, "price": Decimal("1.10")})

    def test_the_first_envelope_found_is_taken(self):
        assert split_list(b'{"items": [1], "data": [2]}', "data", "items")[0] == (b"2",)

    def test_an_empty_list_has_no_records(self):
        assert split_list(b"[]") == ((), {})

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "it is empty"),
            (b"  \n", "it is empty"),
            (b"<!DOCTYPE html><html>", "HTML or XML page"),
            (b"\n\n<html lang=en>", "HTML or XML page"),
            (b'<?xml version="1.0"?>', "HTML or XML page"),
            (b'[{"a": 1}', "cut off or malformed"),
            (b'{"products": [{"a"', "cut off or malformed"),
            (b'{"products": {}}', "cut off or malformed"),
            (b"[1] trailing", "cut off or malformed"),
            (b"[NaN]", "cut off or malformed"),
            (b"[1,]", "cut off or malformed"),
            (b"5", "cut off or malformed"),
            (b'{"products": [], "total": 1e99999999999999999999}', "cut off or malformed"),
            (b'{"products": [], "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "cut off or malformed"),
        ],
    )
    def test_anything_else_is_garbled_and_says_what_it_looks_like(self, body, reason):
        with pytest.raises(UpstreamGarbled, match=reason):
            split_list(body, "products")

    def test_an_object_without_the_list_says_where_it_was_looked_for(self):
        with pytest.raises(UpstreamGarbled, match="looked for products, data"):
            split_list(b'{"error": "x"}', "products", "data")
        with pytest.raises(UpstreamGarbled, match="looked for a bare list"):
            split_list(b'{"error": "x"}')


class TestReadJson:
    def test_numbers_with_a_fraction_are_decimals(self):
        assert read_json(Answer("u", {}, b'{"price": 0.1, "n": 1}')) == {"price": Decimal("0.1"), "n": 1}

    def test_what_is_not_json_is_garbled(self):
        with pytest.raises(UpstreamGarbled, match="HTML or XML page"):
            read_json(Answer("u", {}, b"<html>"))


class TestLoad:
    def test_a_record_becomes_a_product_of_its_source_at_this_time(self):
        product = connector().load(b'{"id": 7, "title": "Lamp", "price": 9.99}')
        assert (product.id, product.name, product.price) == ("acme:7", "Lamp", Money(999, "EUR"))
        assert product.fetched_at == datetime(2026, 11, 21, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("raw", "kind"),
        [
            (b"[]", "a list"),
            (b'"x"', "text"),
            (b"null", "null"),
            (b"true", "a boolean"),
            (b"5", "a number"),
            (b"1.5", "a number"),
        ],
    )
    def test_what_is_not_an_object_is_rejected_by_its_kind(self, raw, kind):
        assert rejected(raw) == [("record", f"is {kind}, not an object")]

    @pytest.mark.parametrize(
        "raw",
        [
            *[
                b"",
                b"{",
                b'{"a": NaN}',
                b'{"a": Infinity}',
                b'{"a": 01}',
                b"{'a': 1}",
                b'{"a": 1e99999999999999999999}',
                b'{"a": "\xff"}',
            ],
            *[b'{"a": "\\ud800"}', b'{"a": ' + b"9" * 5000 + b"}", b'{"a":' * 100_000 + b"1" + b"}" * 100_000],
        ],
    )
    def test_what_is_not_strict_json_is_rejected_in_one_short_line(self, raw):
        ((field, reason),) = rejected(raw)
        assert field == "record"
        assert reason.startswith("is not valid JSON: ")
        assert len(reason) < 150

    def test_every_fault_of_a_record_is_named_with_its_id(self):
        with pytest.raises(RecordRejected) as caught:
            connector().load(b'{"id": 7, "title": " ", "price": "cheap"}')
        assert caught.value.record_id == "7"
        assert [(fault.field, fault.reason) for fault in caught.value.faults] == [
            ("title", "is empty"),
            ("price", "is not an amount: expected a decimal number such as 19.99, got 'cheap'"),
        ]

    @pytest.mark.parametrize(
        ("raw", "found"),
        [
            (b'{"id": 7}', "7"),
            (b'{"id": "a"}', "a"),
            (b'{"id": ""}', None),
            (b'{"id": 1.5}', None),
            (b'{"id": null}', None),
            (b"{}", None),
        ],
    )
    def test_a_rejected_record_keeps_the_id_people_can_find_it_by(self, raw, found):
        with pytest.raises(RecordRejected) as caught:
            connector().load(raw)
        assert caught.value.record_id == found

    def test_a_very_long_id_is_shortened(self):
        with pytest.raises(RecordRejected) as caught:
            connector().load(b'{"id": "%b"}' % (b"x" * 1000))
        assert len(caught.value.record_id) == 200

    def test_faults_inside_lists_carry_their_whole_path(self):
        raw = b'{"id": 1, "title": "T", "variants": [{"id": 1, "price": "1"}, {"id": null, "price": "x"}, 5]}'
        assert rejected(raw, kind="shopify") == [
            ("variants[1].id", "is missing"),
            ("variants[1].price", "is not an amount: expected a decimal number such as 19.99, got 'x'"),
            ("variants[2]", "is not an object"),
        ]

    @pytest.mark.parametrize(("written", "reason"), [("null", "is missing"), ("5", "is not a list"), ("{}", "is not a list")])
    def test_a_list_that_is_none_is_told_in_words(self, written, reason):
        raw = b'{"id": 1, "title": "T", "variants": %b}' % written.encode()
        assert rejected(raw, kind="shopify") == [("variants", reason)]

    def test_a_price_without_any_currency_is_rejected(self):
        raw = b'{"id": 1, "title": "T", "price": 5}'
        assert rejected(raw, currency=None) == [("currency", "is not in the record, and the source's settings name none")]

    def test_a_price_finer_than_the_currency_is_rejected(self):
        assert rejected(b'{"id": 1, "title": "T", "price": 5.5}', currency="JPY") == [
            ("price", "has more decimal places than JPY has (0): 5.5")
        ]

    def test_what_has_no_price_is_rejected_unless_the_source_is_one_without_prices(self):
        raw = b'{"id": 1, "title": "T"}'
        assert rejected(raw) == [("price", "is missing or empty, and what has no price cannot be bought")]
        assert connector(priced=False).load(raw).price is None

    def test_a_category_is_renamed_as_the_settings_say(self):
        raw = b'{"id": 1, "title": "T", "price": 1, "category": "lamps"}'
        assert connector(categories={"lamps": "Lighting"}).load(raw).category == "Lighting"
        assert connector(categories={"other": "Lighting"}).load(raw).category == "lamps"


def test_a_schema_says_which_parts_a_product_has():
    class Bare(RecordSchema):
        source_id = fields.String()

    with pytest.raises(NotImplementedError):
        Bare(A_SOURCE, StoppedClock()).load({})


@pytest.mark.parametrize("status", [None, "active"])
def test_a_status_on_sale_is_let_through(status):
    RecordSchema(A_SOURCE, StoppedClock()).refuse_unless(status, "active")


def test_a_status_not_on_sale_is_refused():
    with pytest.raises(ValidationError, match="'draft': not on sale"):
        RecordSchema(A_SOURCE, StoppedClock()).refuse_unless("draft", "active")


class TestFingerprint:
    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "fakestore"},
            {"url": "https://other.example"},
            {"currency": "USD"},
            {"priced": False},
            {"categories": {"a": "b"}},
            {"api": "v3"},
            {"format": "csv"},
            {"columns": {"id": "sku"}},
        ],
    )
    def test_it_changes_with_what_maps_a_record_to_another_product(self, change):
        assert connector(**change).fingerprint != connector().fingerprint

    def test_it_stays_with_anything_else(self):
        quiet = {
            "headers": {"a": "b"},
            "rate": Rate(1, A_SOURCE.every),
            "credentials": Credentials(bearer=Secret("x")),
            "concurrency": 9,
        }
        assert connector(**quiet).fingerprint == connector().fingerprint


@pytest.mark.parametrize(
    ("average", "count", "rating"),
    [
        ("4.567", 3, Rating(4.57, 3)),
        ("0", None, Rating(0.0, None)),
        ("5", 1, Rating(5.0, 1)),
        ("5.01", 1, None),
        ("-1", 1, None),
        ("4", 0, None),
        ("4", -2, None),
        (None, 3, None),
    ],
)
def test_a_rating_is_within_0_and_5_and_somebodys(average, count, rating):
    assert rating_of(None if average is None else Decimal(average), count) == rating


@pytest.mark.parametrize(("quantity", "pieces"), [("16.5", 16), ("0", 0), ("-2", -2), (None, None)])
def test_stock_is_in_whole_pieces(quantity, pieces):
    assert stock_of(None if quantity is None else Decimal(quantity)) == pieces


def variant(minor: int | None, availability: Availability | None = None) -> Variant:
    return Variant("1", None, None, None, None if minor is None else Money(minor, "EUR"), availability, None, {})


class TestPriceOf:
    def test_it_is_the_lowest_that_can_be_bought_within_the_range_of_all(self):
        variants = [
            variant(100, Availability.OUT_OF_STOCK),
            variant(300, Availability.IN_STOCK),
            variant(200, Availability.BACK_ORDER),
            variant(None),
        ]
        assert price_of(variants) == (Money(200, "EUR"), PriceRange(Money(100, "EUR"), Money(300, "EUR")))

    def test_it_is_the_lowest_of_all_when_nothing_can_be_bought(self):
        assert price_of([variant(300, Availability.SOLD_OUT), variant(100, Availability.OUT_OF_STOCK)])[0] == Money(100, "EUR")

    def test_what_says_nothing_of_its_availability_can_be_bought(self):
        assert price_of([variant(100, Availability.DISCONTINUED), variant(300)])[0] == Money(300, "EUR")

    def test_one_price_is_no_range(self):
        assert price_of([variant(100), variant(100)]) == (Money(100, "EUR"), None)

    @pytest.mark.parametrize("variants", [[], [variant(None)]])
    def test_without_a_price_there_is_none(self, variants):
        assert price_of(variants) == (None, None)
