import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.util.places import fill, fill_query, find_places, strip_places


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("/items/{id}", {"{id}"}),
        (["a", {"b": "gid://shop/{id}", "{ids}": 1}], {"{id}"}),
        ({"a": ["{ids}"], "b": "{id}"}, {"{id}", "{ids}"}),
        ("query { item {id} }", set()),
        ('{"sku": "{id}"}', set()),
        (5, set()),
        (None, set()),
    ],
)
def test_places_are_found_wherever_they_stand_but_in_documents(value, places):
    assert find_places(value) == places


def test_a_text_without_its_places_is_what_is_left():
    assert strip_places("/{id}/x/{ids}") == "//x/"


def test_the_first_id_or_all_go_into_their_places():
    body = {"query": "{ item {id} }", "one": "n-{id}", "all": "{ids}", "list": ["{ids}", "x"], "n": 5, "deep": [{"id": "{id}"}]}
    assert fill(body, ["1", "2"]) == {
        "query": "{ item {id} }",
        "one": "n-1",
        "all": "1,2",
        "list": ["1", "2", "x"],
        "n": 5,
        "deep": [{"id": "1"}],
    }


def test_a_parameter_of_brackets_is_sent_once_for_each():
    assert fill_query({"id[]": "{ids}", "ids": "{ids}", "lang": "en"}, ["1", "2"]) == {
        "id[]": ["1", "2"],
        "ids": "1,2",
        "lang": "en",
    }


@given(st.text())
def test_an_id_is_put_in_as_it_is_even_where_it_looks_like_a_place(source_id):
    assert fill("a{id}b", [source_id]) == f"a{source_id}b"
    assert fill("{ids}", ["{id}", source_id]) == f"{{id}},{source_id}"
