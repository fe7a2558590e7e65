"""A secret shows itself only to the one who asks for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.util.secret import MASK, Secret

values = st.text(min_size=4).filter(lambda value: value not in MASK * 2)


@given(values)
def test_a_secret_prints_as_a_mask_wherever_it_lands(value):
    secret = Secret(value)
    holder = {"key": [secret], "pair": (secret,)}
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r}", f"{secret!s}", "{}".format(secret), "%s" % secret]  # noqa: UP031, UP032
    assert shown == [MASK] * len(shown)
    assert repr(holder) == "{'key': [***], 'pair': (***,)}"


def test_a_secret_has_no_attributes_to_list():
    assert not hasattr(Secret("hunter2"), "__dict__")


def test_a_secret_cannot_be_padded_into_view():
    with pytest.raises(TypeError):
        format(Secret("hunter2"), ">20")


@given(values)
def test_a_secret_gives_its_value_to_the_one_who_asks(value):
    assert Secret(value).reveal() == value


def test_secrets_of_one_value_are_equal_and_unlike_their_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
