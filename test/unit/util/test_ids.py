"""Identifiers that are safe to log and to send."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.util.ids import new_id, sane_request_id

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


def test_new_ids_are_32_hexadecimal_digits_and_differ():
    found = {new_id() for _ in range(100)}
    assert len(found) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found)


@given(st.from_regex(SANE, fullmatch=True))
def test_a_sane_request_id_is_kept(offered):
    assert sane_request_id(offered) == offered


@pytest.mark.parametrize("offered", [None, "", "a b", "a\n", "a\r\nX-Evil: 1", "ä", "x" * 65, "<script>", "a/b"])
def test_any_other_request_id_is_replaced(offered):
    assert re.fullmatch("[0-9a-f]{32}", sane_request_id(offered))


@given(st.text())
def test_what_comes_out_is_always_sane(offered):
    assert SANE.match(sane_request_id(offered))
