"""Kind mapped: shops nobody has written code for, described by settings alone."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from werkzeug import Response

from main.resources.upstream.mapped import split_urls
from main.service.errors import RecordRejected, UpstreamGarbled
from main.service.model import Availability, FieldMap, FieldRule, ItemCall, Listing, Money, PriceRange, Rating
from test.unit.resources.upstream.shops import canned, look

RULES = {
    "id": "code",
    "name": "title.en",
    "brand": "maker.name",
    "description": "text",
    "category": "groups[0]",
    "price": "pricing.net",
    "currency": "'EUR'",
    "availability": "in_stock",
    "stock": "stock",
    "rating": "stars",
    "rating_count": "votes",
    "gtin": "ean",
    "sku": "join('-', ['x', code])",
    "url": "web",
    "images": "media[].href",
    "tags": "labels",
    "updated_at": "changed",
}
RECORD = {
    "code": "A1",
    "title": {"en": "Lamp &amp; shade"},
    "maker": {"name": "Lumen"},
    "text": "<p>Bright<br>warm</p>",
    "groups": ["Lights"],
    "pricing": {"net": 19.90},
    "in_stock": True,
    "stock": "16.5",
    "stars": 4.5,
    "votes": 3,
    "ean": "4260488132709",
    "web": "https://shop.example/a1",
    "media": [{"href": "https://cdn.example/1.jpg"}, {"href": "no url"}],
    "labels": "a, b",
    "changed": 1594385263,
}
A_SHOP = canned(lambda _: Response("[]"))


def rules(**changes):
    return {name: rule if isinstance(rule, FieldRule) else FieldRule(rule) for name, rule in (RULES | changes).items() if rule}


@pytest.fixture
def load(dial):
    def read(record=RECORD, more=None, **changes):
        mapping = FieldMap(fields=rules(**changes), **(more or {}))
        return dial(A_SHOP, "mapped", mapping=mapping).load(json.dumps(record).encode())

    return read


def test_each_field_finds_its_place(load):
    product = load()
    assert (product.id, product.name, product.brand, product.sku) == ("acme:A1", "Lamp & shade", "Lumen", "x-A1")
    assert (product.description, product.category, product.tags) == ("Bright\nwarm", "Lights", ("a", "b"))
    assert (product.price, product.stock, product.rating) == (Money(1990, "EUR"), 16, Rating(4.5, 3))
    assert (product.gtin, product.availability) == ("04260488132709", Availability.IN_STOCK)
    assert (product.url, product.images) == ("https://shop.example/a1", ("https://cdn.example/1.jpg",))
    assert product.updated_at == datetime(2020, 7, 10, 12, 47, 43, tzinfo=UTC)


@pytest.mark.parametrize(
    ("price", "rule", "money"),
    [
        (1999, FieldRule("p", unit="minor"), Money(1999, "EUR")),
        ("1999", FieldRule("p", unit="minor"), Money(1999, "EUR")),
        ("1.234,50 EGP", FieldRule("p", decimal=","), Money(123450, "EGP")),
        ("1,234.50", FieldRule("p", decimal="."), Money(123450, "EUR")),
        ("€ 5", FieldRule("p"), Money(500, "EUR")),
        (0, FieldRule("p"), Money(0, "EUR")),
    ],
)
def test_a_price_is_read_by_its_rule(load, price, rule, money):
    assert load(RECORD | {"p": price}, price=rule, currency=None).price == money


def test_minor_units_follow_the_currency_of_the_record(load):
    record = RECORD | {"p": 1234, "c": "kwd"}
    assert load(record, price=FieldRule("p", unit="minor"), currency="c").price == Money(1234, "KWD")


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        ({"code": None}, "id", "is missing"),
        ({"title": None}, "name", "is missing"),
        ({"pricing": None}, "price", "no price cannot be bought"),
        ({"pricing": {"net": ""}}, "price", "no price cannot be bought"),
        ({"pricing": {"net": "19,90"}}, "price", "is not a price"),
        ({"pricing": {"net": -1}}, "price", "is negative"),
        ({"pricing": {"net": {}}}, "price", "got dict"),
        ({"pricing": {"net": 1.999}}, "price", "more decimal places"),
    ],
)
def test_what_every_product_needs_is_asked_for_by_name(load, record, field, reason):
    with pytest.raises(RecordRejected, match=reason) as caught:
        load(RECORD | record, sku=None)
    assert [fault.field for fault in caught.value.faults] == [field]


@pytest.mark.parametrize("currency", ["'euros'", "'SAA'", "`5`"])
def test_a_currency_that_is_none_is_refused(load, currency):
    with pytest.raises(RecordRejected, match="ISO 4217"):
        load(currency=currency)


def test_an_expression_that_fails_on_a_needed_field_says_which(load):
    with pytest.raises(RecordRejected, match="cannot be found by 'length"):
        load(name="length(votes)")


def test_an_expression_that_fails_on_a_decoration_leaves_it_out(load):
    assert load(brand="join(' ', [nothing])").brand is None


@pytest.mark.parametrize("changed", [None, "soon", 2**53, 10**40, int("1" * 400), {}, []], ids=range(7))
def test_a_time_that_is_none_is_left_out(load, changed):
    assert load(RECORD | {"changed": changed}).updated_at is None


def test_milliseconds_and_iso_are_times_too(load):
    assert load(RECORD | {"changed": 1594385263000}).updated_at == load().updated_at
    assert load(RECORD | {"changed": "2020-07-10T12:47:43"}).updated_at == load().updated_at


def test_images_in_one_text_are_split_between_urls_only(load):
    text = "https://c.example/a,b.jpg, https://c.example/2.jpg"
    assert load(RECORD | {"media": text}, images="media").images == ("https://c.example/a,b.jpg", "https://c.example/2.jpg")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("no url, at all", ["no url, at all"]),
        ("https://c/1 ,  http://c/2", ["https://c/1", "http://c/2"]),
        ("https://c/a,b,,https://c/2,c", ["https://c/a,b,", "https://c/2,c"]),
        (", https://c/1", ["", "https://c/1"]),
    ],
)
def test_a_comma_splits_where_a_url_begins(text, parts):
    assert split_urls(text) == parts


@pytest.mark.parametrize("text", [" " * 1_000_000, "," * 1_000_000, " , " * 300_000])
def test_a_text_of_blanks_and_commas_is_split_in_a_moment(text):
    began = time.thread_time()
    assert split_urls(text) == [text.strip()]
    assert time.thread_time() - began < 10  # by a pattern that tries each blank anew, it takes half an hour


VARIANTS = {
    "variants": "forms",
    "variant_fields": {
        "id": FieldRule("n"),
        "name": FieldRule("size"),
        "price": FieldRule("cents", unit="minor"),
        "availability": FieldRule("there"),
        "stock": FieldRule("left"),
    },
}


def test_variants_bring_the_lowest_price_that_can_be_bought_and_the_range(load):
    forms = [
        {"n": 1, "size": "S", "cents": 100, "there": "sold out"},
        {"n": 2, "cents": 200, "left": 3},
        {"n": 3, "cents": 300},
    ]
    product = load(RECORD | {"forms": forms}, VARIANTS, price=None)
    assert (product.price, product.price_range) == (Money(200, "EUR"), PriceRange(Money(100, "EUR"), Money(300, "EUR")))
    assert [(v.id, v.name, v.stock) for v in product.variants] == [("1", "S", None), ("2", None, 3), ("3", None, None)]
    assert product.variants[0].availability == Availability.SOLD_OUT


def test_variants_that_are_no_list_are_told(load):
    with pytest.raises(RecordRejected, match="is not a list"):
        load(RECORD | {"forms": 5}, VARIANTS)
    assert load(RECORD, VARIANTS).variants == ()


def test_an_expression_for_variants_that_fails_leaves_them_out(load):
    assert load(RECORD, VARIANTS | {"variants": "sort(votes)"}).variants == ()


def fetch(dial, body, items="rows"):
    listing = Listing(items=items)
    return dial(canned(lambda _: Response(body)), "mapped", listing=listing, mapping=FieldMap(fields=rules())).fetch(None)


def test_records_keep_their_decimals(dial):
    page = fetch(dial, b'{"rows": [{"p": 19.90, "q": 1E+2, "t": "\xd9\x85"}]}')
    assert page.records == ('{"p":19.90,"q":1E+2,"t":"م"}'.encode(),)
    assert Decimal("19.90") == Decimal("19.9")


@pytest.mark.parametrize("body", [b"{}", b'{"rows": {}}', b"[]"])
def test_an_answer_without_the_list_is_garbled(dial, body):
    with pytest.raises(UpstreamGarbled, match=r"no list of products \(looked for rows\)"):
        fetch(dial, body)


def test_what_the_first_page_lacks_is_hinted_at_but_not_where_a_preset_knows_the_list(dial):
    assert fetch(dial, b'{"rows": [{}]}').hints == ()
    assert len(fetch(dial, b'{"rows": [' + b"{}," * 49 + b"{}]}").hints) == 1
    assert dial(canned(lambda _: Response(b'{"itemSummaries": [{}]}')), "ebay").fetch(None).hints == ()


def test_a_bare_list_is_read_whole(dial):
    assert len(fetch(dial, b"[{}, {}]", "@").records) == 2


@pytest.mark.parametrize("errors", [[{"message": "Token expired"}]])
def test_what_a_graphql_shop_complains_of_is_passed_on(dial, errors):
    with pytest.raises(UpstreamGarbled, match="The shop says: Token expired"):
        fetch(dial, orjson.dumps({"data": None, "errors": errors}))


def test_a_raw_record_is_read_as_the_shop_wrote_it_and_its_row_has_our_names(dial):
    connector = dial(A_SHOP, "mapped", mapping=FieldMap(fields=rules()))
    record = connector.decode(json.dumps(RECORD).encode())
    assert record == json.loads(json.dumps(RECORD), parse_float=Decimal)
    assert {name: connector.find_row(record)[name] for name in ("id", "name")} == {"id": "A1", "name": "Lamp &amp; shade"}


@pytest.mark.parametrize("raw", [b"5", b"null", b"{"])
def test_a_record_that_is_no_object_is_rejected(dial, raw):
    with pytest.raises(RecordRejected):
        dial(A_SHOP, "mapped", mapping=FieldMap(fields=rules())).load(raw)


def test_another_mapping_makes_another_fingerprint(dial):
    prints = {
        dial(A_SHOP, "mapped", mapping=FieldMap(fields=rules(**changes))).fingerprint
        for changes in ({}, {"name": "title.ar"}, {"price": FieldRule("pricing.net", unit="minor")})
    }
    assert len(prints) == 3


ITEM = ItemCall(path="/items/{id}", record="item")


def looking(dial, answer, item=ITEM, **more):
    return dial(canned(answer), "mapped", item=item, mapping=FieldMap(fields=rules(), **more))


class TestLook:
    def test_a_product_is_asked_for_by_the_described_call_and_read_as_in_the_list(self, dial):
        connector = looking(dial, lambda _: Response(orjson.dumps({"item": RECORD})))
        raw = look(connector, "A1")["A1"]
        assert (connector.look_size, raw) == (1, orjson.dumps(RECORD))
        assert connector.load(raw).price == Money(1990, "EUR")

    def test_without_a_described_call_nothing_can_be_looked_at(self, dial):
        connector = looking(dial, lambda _: Response("{}"), None)
        assert connector.look_size == 0
        with pytest.raises(NotImplementedError):
            look(connector, "A1")

    @pytest.mark.parametrize("record", [RECORD | {"code": "B"}, RECORD | {"code": None}, 5, "A1", [RECORD | {"code": "B"}]])
    def test_an_answer_about_anything_else_is_garbled(self, dial, record):
        with pytest.raises(UpstreamGarbled):
            look(looking(dial, lambda _: Response(orjson.dumps({"item": record}))), "A1")

    def test_an_invalid_record_is_given_for_the_mapping_to_judge(self, dial):
        connector = looking(dial, lambda _: Response(orjson.dumps({"item": RECORD | {"title": None, "pricing": None}})))
        with pytest.raises(RecordRejected, match="is missing"):
            connector.load(look(connector, "A1")["A1"])

    def test_an_id_with_a_comma_is_asked_for_alone_where_commas_join(self, dial):
        asked = []

        def answer(request):
            asked.append(request.args["ids"])
            return Response(orjson.dumps([RECORD | {"code": code} for code in asked[-1].split(",")]))

        connector = looking(dial, answer, ItemCall(path="/items", params={"ids": "{ids}"}, size=10))
        assert (connector.look_size, list(look(connector, "A", "B"))) == (10, ["A", "B"])
        with pytest.raises(UpstreamGarbled, match="another product"):
            look(connector, "A", "b,c")
        assert asked == ["A,B", "A", "b,c"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"Size": "size", "Colour": "colour"}, {"Size": "S", "Colour": "Red"}),
        ("choices", {"Size": "S"}),
        (None, {}),
    ],
)
def test_variants_have_options_and_without_a_name_are_called_by_them(load, options, found):
    forms = [{"n": 1, "cents": 100, "size": "S", "colour": "Red", "choices": [{"name": "Size", "value": "S"}]}]
    fields = {"id": FieldRule("n"), "price": FieldRule("cents", unit="minor")}
    (variant,) = load(RECORD | {"forms": forms}, {"variants": "forms", "variant_fields": fields, "options": options}).variants
    assert (variant.options, variant.name) == (found, " / ".join(found.values()) or None)
