import pytest

from main.resources.upstream.looks import numbers, pick, said, unless_gone
from main.resources.upstream.session import Answer
from main.service.errors import UpstreamGarbled, UpstreamRefused
from main.service.model import Wanted

ONE, TWO = Wanted("1"), Wanted("2")


def first_letter(raw):
    return raw.decode()[:1] or None


def test_records_are_given_by_their_own_ids_the_first_of_two_alike():
    assert pick([b"2 b", b"1 a", b"1 c"], [ONE, TWO], first_letter) == {"1": b"1 a", "2": b"2 b"}


@pytest.mark.parametrize(("raw", "reason"), [(b"3", "another product"), (b"", "does not tell which product")])
def test_an_answer_about_another_product_is_garbled(raw, reason):
    with pytest.raises(UpstreamGarbled, match=reason):
        pick([b"1", raw], [ONE, TWO], first_letter)


@pytest.mark.parametrize(("status", "gone"), [(404, True), (410, True), (400, False), (500, False)])
def test_only_what_the_shop_says_is_gone_is_gone(status, gone):
    def refuse():
        raise UpstreamRefused("no", status)

    if gone:
        assert unless_gone(refuse) is None
    else:
        with pytest.raises(UpstreamRefused):
            unless_gone(refuse)


@pytest.mark.parametrize("body", [b"", b" ", b"null", b" null\n"])
def test_an_empty_answer_holds_no_record(body):
    assert list(said(Answer("", {}, body))) == []
    assert list(said(None)) == []
    assert list(said(Answer("", {}, b" {} "))) == [b"{}"]


def test_only_whole_numbers_are_asked_of_shops_that_count():
    assert numbers([ONE, Wanted("x"), Wanted("1,2"), Wanted("\u00b2"), TWO]) == ["1", "2"]
