import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.service import shape as shape_module
from main.service.model import Drift, FieldShape, Shape
from main.service.shape import LOOKED_AT, Sketch, find_drift
from test.fakes import NOW

PATHS = st.text("abc", min_size=1, max_size=3)
FIELDS = st.builds(FieldShape, st.integers(1, 20), st.frozensets(st.sampled_from(["null", "string", "number"]), min_size=1))
SHAPES = st.builds(Shape, st.just(20), st.dictionaries(PATHS, FIELDS, max_size=12))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab.[]", max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), below, max_size=3),
    max_leaves=30,
)
RECORDS = st.lists(st.dictionaries(st.text("abc", max_size=2), VALUES, max_size=4), max_size=6)


def sketch(*records):
    found = Sketch()
    for record in records:
        found.add(record if isinstance(record, bytes) else orjson.dumps(record))
    return found.shape


def types_of(shape):
    return {name: (field.records, "|".join(sorted(field.types))) for name, field in shape.fields.items()}


# the shape of records


def test_fields_are_dotted_paths_with_their_types_and_in_how_many_records_they_were():
    shape = sketch(
        {"id": 1, "price": {"net": "9.99"}, "tags": ["a", "b"], "new": True},
        {"id": "x", "price": None, "tags": []},
        {"id": 2.5, "price": {"net": 9}},
    )
    assert shape.records == 3
    assert types_of(shape) == {
        "id": (3, "number|string"),
        "price": (3, "null|object"),
        "price.net": (2, "number|string"),
        "tags": (2, "array"),
        "tags[]": (1, "string"),
        "new": (1, "boolean"),
    }


def test_a_field_in_several_items_of_a_list_is_in_one_record():
    assert types_of(sketch({"forms": [{"sku": "a"}, {"sku": None}]})) == {
        "forms": (1, "array"),
        "forms[]": (1, "object"),
        "forms[].sku": (1, "null|string"),
    }


def test_it_looks_three_names_deep_and_not_into_lists_of_lists():
    shape = sketch({"a": {"b": {"c": {"d": 1}}}, "grid": [[1, {"x": 1}]]})
    assert set(shape.fields) == {"a", "a.b", "a.b.c", "grid", "grid[]"}


def test_it_looks_at_the_first_items_of_a_long_list_only():
    assert "list[]" in sketch({"list": [1] * 10_000 + ["x"]}).fields
    assert types_of(sketch({"list": [1] * 100 + ["x"]}))["list[]"] == (1, "number")


def test_a_shop_that_uses_ids_as_keys_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(shape_module, "_FIELDS", 10)
    shape = sketch(*({f"id-{number}": 1, "name": "x"} for number in range(50)))
    assert len(shape.fields) == 10
    assert shape.fields["name"].records == 50
    assert max(map(len, sketch({"k" * 5000: {"v" * 5000: 1}}).fields)) < 300


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"\xff", b"[1, 2]", b'"text"', b"null", b"[" * 100_000, b'{"a": 1e999}'])
def test_what_is_no_object_has_no_shape(raw):
    assert sketch(raw) == Shape(0, {})


@given(RECORDS)
def test_any_records_have_a_shape_that_says_no_more_than_they_do(records):
    shape = sketch(*records)
    assert shape.records == len(records)
    assert {name for record in records for name in record} <= set(shape.fields)
    assert all(1 <= field.records <= len(records) and field.types for field in shape.fields.values())


# drift


def shape_of(records=20, **fields):
    return Shape(records, {name: FieldShape(count, frozenset(types.split("|"))) for name, (count, types) in fields.items()})


def test_a_field_is_new_when_a_quarter_of_the_records_have_it():
    good = shape_of(a=(20, "string"))
    seen = shape_of(a=(20, "string"), often=(5, "string"), seldom=(4, "string"))
    assert find_drift(good, seen, NOW) == Drift(seen_at=NOW, new=("often",))


def test_a_field_is_missing_when_half_of_the_good_records_had_it_and_now_none_has():
    good = shape_of(a=(20, "string"), often=(10, "string"), seldom=(9, "string"), fewer=(20, "string"))
    seen = shape_of(a=(20, "string"), fewer=(1, "string"))
    assert find_drift(good, seen, NOW) == Drift(seen_at=NOW, missing=("often",))


@pytest.mark.parametrize(
    ("before", "now", "retyped"),
    [
        ("string", "number", True),
        ("string|null", "number|null", True),
        ("string", "number|string", False),
        ("string", "null", False),
        ("null", "string", False),
        ("object", "array", True),
    ],
)
def test_a_field_is_retyped_when_its_types_share_nothing_null_apart(before, now, retyped):
    drift = find_drift(shape_of(a=(20, before)), shape_of(a=(3, now)), NOW)
    assert drift == (Drift(seen_at=NOW, retyped=("a",)) if retyped else None)


def test_at_most_fifty_names_of_each_kind_are_told():
    many = {f"f{number:03}": (20, "string") for number in range(80)}
    drift = find_drift(shape_of(a=(20, "string")), shape_of(**many), NOW)
    assert drift.new == tuple(sorted(many))[:50]
    assert len(find_drift(shape_of(**many), shape_of(a=(20, "string")), NOW).missing) == 50


@given(SHAPES, SHAPES)
def test_each_name_has_its_reason(good, seen):
    drift = find_drift(good, seen, NOW) or Drift(seen_at=NOW)
    assert not set(drift.new) & set(good.fields)
    assert set(drift.new) <= set(seen.fields)
    assert set(drift.missing) <= set(good.fields) - set(seen.fields)
    assert set(drift.retyped) <= set(good.fields) & set(seen.fields)
    assert all(list(names) == sorted(set(names)) for names in (drift.new, drift.missing, drift.retyped))


@given(SHAPES)
def test_a_shape_does_not_drift_from_itself_nor_from_nothing(shape):
    empty = Shape(0, {})
    assert find_drift(shape, shape, NOW) is None
    assert find_drift(empty, shape, NOW) is None
    assert find_drift(shape, empty, NOW) is None


@given(RECORDS)
def test_the_same_records_in_another_order_do_not_drift(records):
    assert find_drift(sketch(*records), sketch(*reversed(records)), NOW) is None


def test_enough_records_are_looked_at_to_be_believed():
    assert LOOKED_AT == 200
