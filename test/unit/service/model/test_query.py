import pytest

from main.service.model import Head, Hits, Page, Query, Term, TermKind


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (30, 1), (31, 2), (300, 10)])
def test_a_result_has_as_many_pages_as_it_takes(total, pages):
    assert Page(Head(1, {}), Query(), Hits((), total, {})).pages == pages


def test_equal_queries_are_one_key():
    one = Query(terms=(Term("lamp", TermKind.WORD),), brand=("Halden",))
    two = Query(brand=("Halden",), terms=(Term("lamp", TermKind.WORD),))
    assert len({one, two, Query()}) == 2
