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


INFO = {"hasNextPage": True, "endCursor": "x"}
CURSOR = {"style": "cursor", "param": "cursor"}


@pytest.mark.parametrize("items", ["data.store.plants.edges[].node", "data.store.plants.nodes"])
def test_what_stands_beside_the_items_counts_before_what_stands_elsewhere(items):
    payload = {"data": {"pageInfo": INFO, "store": {"pageInfo": INFO, "plants": {"pageInfo": INFO, "nodes": []}}}}
    place = "data.store.plants.pageInfo"
    assert guess_paging(payload, {}, items, linked=False) == {
        **CURSOR,
        "cursor": f"{place}.endCursor",
        "more": f"{place}.hasNextPage",
    }


@pytest.mark.parametrize(
    ("payload", "query", "page"),
    [
        (
            {"info": {"hasNextPage": False, "endCursor": None}},
            {},
            {**CURSOR, "cursor": "info.endCursor", "more": "info.hasNextPage"},
        ),
        ({"has_more": False, "other": {"cursor": None}}, {}, {"style": "none"}),
        ({"next": "/2", "has_more": True}, {}, {"style": "next_url", "next": "next", "more": "has_more"}),
        ({"has_more": True}, {"page": "1"}, {"style": "page", "param": "page", "more": "has_more"}),
        ({"has_more": True, "total": 9}, {"page": "1"}, {"style": "page", "param": "page", "total": "total"}),
        ({"has_more": "yes"}, {"page": "1"}, {"style": "page", "param": "page"}),
    ],
)
def test_a_shop_that_says_whether_there_is_more_is_taken_at_its_word(payload, query, page):
    assert guess_paging(payload, query, linked=False) == page
