import pytest

from main.settings.yamltext import YamlFault, parse_yaml


def fault(text):
    with pytest.raises(YamlFault) as caught:
        parse_yaml(text)
    return caught.value


def test_what_is_right_is_read():
    text = "a: &one [1, 2.5, yes, 2026-11-26]\nb: *one\nc: {<<: {x: 1, y: 2}, y: 3}\n"
    found = parse_yaml(text)
    assert found["a"] == found["b"]
    assert (found["a"][:3], found["c"]) == ([1, 2.5, True], {"x": 1, "y": 3})
    assert parse_yaml("") is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("2026-13-45", "month must be in 1..12"),
        ("2026-01-01 99:99:99", "hour must be in 0..23"),
        ("0b_", "invalid literal for int()"),
        ("1" * 5000, "Exceeds the limit (4300 digits)"),
        ("!!int foo", "invalid literal for int()"),
        ("!!float foo", "could not convert string to float"),
        ("!!bool foo", "foo"),
        ("!!timestamp foo", "NoneType"),
        ("!!int ''", "index out of range"),
    ],
)
def test_a_value_that_is_not_what_its_form_says_is_told_with_its_place(value, why):
    found = fault(f"ok: 1\nsources:\n  - {{name: {value}}}\n")
    assert found.place == ", line 3, column 12"
    assert found.problem.startswith("a value that cannot be read (")
    assert why in found.problem


@pytest.mark.parametrize("text", ["x: " + "[" * 5000, "x: " + "{a: " * 1500 + "1" + "}" * 1500])
def test_what_is_nested_too_deeply_is_no_yaml(text):
    found = fault(text)
    assert (found.problem, found.place) == ("is nested too deeply", "")


def test_a_character_that_there_is_not_is_told():
    assert fault('x: "\\UFFFFFFFF"').problem


@pytest.mark.parametrize("text", ["&a [*a]", "x: &a [*a]", "x: &a {b: *a}"])
def test_nothing_holds_itself(text):
    assert "recursive" in fault(text).problem


@pytest.mark.parametrize("text", ['x: "\\ud800"', '{"\\ud800": 1}', 'x: ["a", "\\ude00\\ud83d"]'])
def test_half_of_a_surrogate_pair_is_no_text(text):
    assert fault(text).problem == "half of a surrogate pair is no character"


def test_a_character_that_json_writes_as_a_surrogate_pair_is_one():
    assert parse_yaml('{"x": "\\ud83d\\ude00", "y": "é😀"}') == {"x": "😀", "y": "é😀"}


def test_a_key_that_stands_twice_is_told_with_its_place():
    found = fault("a: {b: 1, b: 2}")
    assert (found.problem, found.place) == ("key 'b' stands twice", ", line 1, column 4")


def test_text_that_is_no_yaml_is_told():
    assert fault("a: b: c").place == ", line 1, column 5"
    assert "\n" not in fault("a: \x01").problem
