"""A secret shows itself only to the one who asks for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.util.secret import MASK, Secret, SecretName, known_secrets, publish_names

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


def test_a_credentials_name_hides_itself_like_a_secret():
    name = SecretName("nakhla")
    assert (repr(name), name.reveal(), name == Secret("nakhla")) == (MASK, "nakhla", True)
    assert known_secrets() == ["nakhla"]


@pytest.mark.parametrize("published_first", [True, False])
def test_a_credentials_name_that_stands_in_a_public_name_is_not_masked(published_first):
    if published_first:
        publish_names(["nakhla-eu", "other"])
    SecretName("nakhla")
    SecretName("another")
    publish_names(["nakhla-eu", "other"])
    assert known_secrets() == ["another"]
    publish_names(["other"])  # the source is gone
    assert sorted(known_secrets()) == ["another", "nakhla"]


@pytest.mark.parametrize("kinds", [(Secret,), (Secret, SecretName), (SecretName, Secret)])
def test_a_password_is_masked_even_where_it_is_a_public_name(kinds):
    publish_names(["nakhla"])
    for kind in kinds:
        kind("nakhla")
    assert known_secrets() == ["nakhla"]
