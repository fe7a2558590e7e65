import pytest

from main.resources.upstream.options import find_options, read_options

VARIANT = {
    "size": "S",
    "colour": {"name": "Red"},
    "id": 5,
    "all": [{"name": "Size", "value": "S"}, {"name": "Fit", "value": 7}],
}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"Size": "size", "Colour": "colour.name", "Fit": "fit"}, {"Size": "S", "Colour": "Red"}),
        ({"price": "length(id)", "Number": "id"}, {"Number": "5"}),
        ("all", {"Size": "S", "Fit": "7"}),
        ("{Size: size, Colour: colour}", {"Size": "S"}),
        ("length(id)", {}),
        (None, {}),
        ({}, {}),
    ],
)
def test_options_are_found_by_the_settings_expressions(options, found):
    assert find_options(options, VARIANT) == found


@pytest.mark.parametrize("found", [None, 5, "S", [], [5], [{}], [{"name": "Size"}], {"": "S"}, {"Size": ""}, {"Size": True}])
def test_what_is_no_option_is_left_out(found):
    assert read_options(found) == {}
