import pytest

from main.resources.upstream.draftpaging import guess_paging


@pytest.mark.parametrize(
    ("payload", "query", "linked", "page"),
    [
        ([], {}, True, {"style": "link"}),
        ([], {}, False, {"style": "none"}),
        ({"next": "https://s.example/2"}, {}, False, {"style": "next_url", "next": "next"}),
        ({"links": {"next": "/2"}}, {}, False, {"style": "next_url", "next": "links.next"}),
        ({"page": {"endCursor": "x"}}, {}, False, {"style": "cursor", "param": "cursor", "cursor": "page.endCursor"}),
        (
            {"total": 5, "skip": 0},
            {"limit": "2"},
            False,
            {"style": "offset", "param": "skip", "size_param": "limit", "size": 2, "total": "total"},
        ),
        ({"meta": {"total": "9"}}, {"page": "1"}, False, {"style": "page", "param": "page", "total": "meta.total"}),
        (
            {"count": 9},
            {"p": "0", "n": "50"},
            False,
            {"style": "page", "param": "p", "size_param": "n", "size": 50, "total": "count", "first": 0},
        ),
        ({"total": True, "page": 1, "a-b": 1, "rows": []}, {}, False, {"style": "page", "param": "page"}),
        ({"next": 2, "total": None}, {}, False, {"style": "none"}),
    ],
)
def test_the_way_a_list_goes_on_is_guessed_by_what_stands_around_it(payload, query, linked, page):
    assert guess_paging(payload, query, linked=linked) == page
