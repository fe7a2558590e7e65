"""What is told about a record whose product lacks something; the mapping itself is that of test_mapped.py."""

import orjson
import pytest
from werkzeug import Response

from main.service.model import FieldMap, FieldRule
from test.unit.resources.upstream.shops import canned

NEEDED = {"id": "id", "name": "name", "price": "price"}
RECORD = {"id": 1, "name": "Lamp", "price": 5}
URL = "https://cdn.example/1.jpg"


@pytest.fixture
def left_out(dial):
    def tell(record, more=None, **paths):
        mapping = FieldMap(fields={name: FieldRule(path) for name, path in (NEEDED | paths).items()}, **(more or {}))
        connector = dial(canned(lambda _: Response("[]")), "mapped", mapping=mapping)
        raw = orjson.dumps(RECORD | record)
        return [(remark.field, remark.text, remark.found) for remark in connector.find_left_out(raw, connector.load(raw))]

    return tell


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("brand", {"name": "Lumen"}, '{"name":"Lumen"}'),
        ("category", ["Lights"], '["Lights"]'),
        ("url", "/lamp", '"/lamp"'),
        ("images", ["/a.jpg"], '["/a.jpg"]'),
        ("images", "/a.jpg", '"/a.jpg"'),
        ("images", [URL, "/a.jpg"], '"/a.jpg"'),
        ("images", [{"url": URL}, {"src": URL}], '{"src":"https://cdn.example/1.jpg"}'),
        ("availability", "a few", '"a few"'),
        ("stock", "LOW 3", '"LOW 3"'),
        ("rating", 9.5, "9.5"),
        ("updated_at", "soon", '"soon"'),
        ("gtin", "4260488132700", '"4260488132700"'),
        ("tags", {"a": 1}, '{"a":1}'),
        ("description", [None, "x" * 99], f'["{"x" * 57}…'),
    ],
)
def test_what_was_found_and_is_left_out_is_shown_with_what_is_taken(left_out, field, value, shown):
    ((name, text, found),) = left_out({"it": value}, **{field: "it"})
    assert (name, found) == (field, True)
    assert text.startswith(f"found {shown}, which is left out: it")


@pytest.mark.parametrize("value", [None, "", [], {}, [None]])
def test_an_expression_that_finds_nothing_is_told_apart(left_out, value):
    assert left_out({"it": value}, brand="it") == [("brand", "`it` finds nothing", False)]


def test_an_expression_that_fails_is_told(left_out):
    ((field, text, found),) = left_out({}, brand="join(' ', [maker, model])")
    assert (field, text.startswith("`join(' ', [maker, model])` fails: "), found) == ("brand", True, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stock", 0),
        ("availability", False),
        ("images", [URL, URL]),
        ("images", f"{URL}, {URL}"),
        ("brand", 5),
        ("gtin", "4260488132709"),
        ("currency", "EUR"),
        ("nothing_of_ours", "/a"),
    ],
)
def test_what_the_product_has_needs_no_word(left_out, field, value):
    assert left_out({"it": value}, **{field: "it"}) == []


def test_a_count_is_a_ratings(left_out):
    assert left_out({"stars": 4.5, "votes": 3}, rating="stars", rating_count="votes") == []
    assert [field for field, _, _ in left_out({"stars": 9, "votes": 3}, rating="stars", rating_count="votes")] == [
        "rating",
        "rating_count",
    ]


VARIANT_FIELDS = {"id": "n", "name": "label", "sku": "sku", "availability": "there", "price": "cost"}


class TestVariants:
    @pytest.fixture
    def told(self, left_out):
        fields = {name: FieldRule(path) for name, path in VARIANT_FIELDS.items()}

        def tell(*forms):
            return left_out({"forms": list(forms)}, {"variants": "forms", "variant_fields": fields, "options": "choices"})

        return tell

    def test_without_any_only_their_list_is_told(self, told):
        assert told() == [("variants", "`forms` finds nothing", False)]

    def test_a_field_is_told_once_whatever_the_number_of_variants(self, told):
        one = {"n": 1, "label": "S", "there": "a few", "cost": 5}
        assert [(field, found) for field, _, found in told(one | {"there": True}, one, one)] == [
            ("variants.sku", False),
            ("variants.availability", True),
            ("variants.options", False),
        ]

    def test_a_field_that_one_variant_has_is_found(self, told):
        one = {"n": 1, "there": True, "cost": 5, "choices": {"Size": "S"}}
        assert told(one, one | {"label": "S", "sku": "x"}) == []


def test_a_kind_that_knows_its_fields_has_nothing_to_tell(dial):
    connector = dial(canned(lambda _: Response("[]")), "dummyjson")
    raw = orjson.dumps({"id": 1, "title": "Lamp", "price": 5})
    assert connector.find_left_out(raw, connector.load(raw)) == ()
