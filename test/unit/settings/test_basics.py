import pytest
from marshmallow import ValidationError

from main.settings.basics import boolean, integer, one_of, text, texts


@pytest.mark.parametrize("given", [True, "true", "yes", "on"])
def test_a_switch_is_on_in_each_spelling_that_yaml_and_the_environment_have(given):
    assert boolean().deserialize(given) is True


@pytest.mark.parametrize(
    ("field", "wrong", "allowed"),
    [
        (boolean(), "maybe", "true | false"),
        (boolean(), 1.5, "true | false"),
        (integer(1, 5), 6, "a whole number from 1 to 5"),
        (integer(1, 5), 2.5, "a whole number from 1 to 5"),
        (integer(1, 5), "two", "a whole number from 1 to 5"),
        (text(), "", "1 to 500 characters"),
        (text(), ["a"], "text"),
        (text(validate=one_of("a", "b")), "c", "a | b"),
        (texts(), "a", "a mapping of texts"),
    ],
)
def test_each_field_says_what_it_takes(field, wrong, allowed):
    with pytest.raises(ValidationError) as caught:
        field.deserialize(wrong)
    assert caught.value.messages == [allowed]
