import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.service.lookentry import LAYOUT, Verdict, judge, make_entry, read_entry, write_entry
from main.service.model import LiveRules

RULES = LiveRules()  # fresh 5 s, revalidate 30 s more, max_stale 10 min


def entry(at=1000.0, fault=None):
    return read_entry(write_entry(make_entry(at, None if fault else b'{"stock":3}', fault)))


def test_an_entry_is_read_back_as_it_was_written():
    found = entry()
    assert (found.v, found.at, bytes(found.figures), found.fault) == (LAYOUT, 1000.0, b'{"stock":3}', None)
    assert entry(fault="gone").fault == "gone"


@pytest.mark.parametrize("kept", [None, b"", b"{", b"[]", b'{"v":1}', b"\xff", b'{"v":999,"at":1}', b"\x80\x04K\x01."])
def test_what_is_no_entry_of_this_version_is_none(kept):
    assert read_entry(kept) is None


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (-5, Verdict.FRESH),
        (0, Verdict.FRESH),
        (5, Verdict.FRESH),
        (5.1, Verdict.REVALIDATE),
        (35, Verdict.REVALIDATE),
        (35.1, Verdict.RESCUE),
        (600, Verdict.RESCUE),
        (600.1, Verdict.MISS),
    ],
)
def test_an_answer_is_fresh_then_revalidated_then_a_rescue_then_nothing(age, verdict):
    assert judge(entry(), 1000 + age, RULES) is verdict


def test_what_is_no_product_is_told_while_it_is_fresh_and_no_longer():
    assert judge(entry(fault="gone"), 1004, RULES) is Verdict.FRESH
    assert judge(entry(fault="gone"), 1006, RULES) is Verdict.MISS


@given(st.floats(0, 2000), st.floats(0, 2000))
def test_an_answer_never_gets_better_with_age(one, other):
    order = list(Verdict)
    younger, older = sorted((one, other))
    first, second = (judge(entry(), 1000 + age, RULES) for age in (younger, older))
    assert order.index(first) <= order.index(second)
