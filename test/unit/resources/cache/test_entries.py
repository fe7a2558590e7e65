"""Names for keys, and values with their end in front."""

from hypothesis import given
from hypothesis import strategies as st

from main.resources.cache.entries import LONGEST, bound_seconds, name_lock, name_value, seal, unseal

any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_every_key_gets_a_short_name_of_plain_signs_with_the_layout_in_front(key):
    for name in (name_value(key), name_lock(key)):
        assert name.startswith("aisle1:")
        assert len(name) < 80
        assert name.replace(":", "").isalnum()
        assert name.isascii()
    assert name_value(key) != name_lock(key)


@given(any_text, any_text)
def test_other_keys_get_other_names(one, two):
    assert (name_value(one) == name_value(two)) is (one == two)


@given(st.binary(), st.floats(allow_nan=False))
def test_a_sealed_value_comes_back_with_its_end(value, end):
    assert unseal(seal(value, end)) == (value, end)


@given(st.binary())
def test_what_was_never_sealed_is_nothing(data):
    assert unseal(data) is None


def test_what_was_cut_or_changed_is_nothing():
    sealed = seal(b"value", 5.0)
    assert [unseal(sealed[:length]) for length in range(len(sealed))] == [None] * len(sealed)
    assert unseal(sealed[:-1] + b"x") is None
    assert unseal(None) is None


def test_seconds_are_bounded_on_both_sides():
    given_seconds = (-1, 0, float("nan"), 0.05, 60, 1e12, float("inf"))
    assert [bound_seconds(seconds) for seconds in given_seconds] == [0, 0, 0, 0.05, 60, LONGEST, LONGEST]
