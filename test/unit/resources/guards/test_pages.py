import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.resources.guards.pages import DamagedPage, decode_page, encode_page
from main.service.model import BreakerMode, GuardState

times = st.none() | st.floats(0, 4e9)
states = st.builds(
    GuardState,
    mode=st.sampled_from(BreakerMode),
    enabled=st.none() | st.booleans(),
    opened_at=times,
    begun=st.lists(st.tuples(st.floats(0, 4e9), st.integers(1, 99))).map(tuple),
    durations_ms=st.lists(st.integers(0, 10**6), max_size=100).map(tuple),
    last_error=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)


@given(states)
def test_any_state_comes_back_as_it_was(state):
    content = encode_page(state)
    assert decode_page(content) == state
    assert len(content) % 1024 == 0
    assert json.loads(content)["version"] == 1


@given(st.binary(max_size=200))
def test_any_other_content_is_damage_and_nothing_else(content):
    with pytest.raises(DamagedPage):
        decode_page(content)


@given(states, st.integers(0, 1023), st.binary(min_size=1, max_size=1))
def test_one_changed_byte_never_gives_another_state(state, place, byte):
    content = bytearray(encode_page(state))
    content[place : place + 1] = byte
    try:
        found = decode_page(bytes(content))
    except DamagedPage:
        return
    assert found == state
