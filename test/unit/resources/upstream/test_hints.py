import pytest

from main.resources.upstream.hints import find_hints, name_end
from main.resources.upstream.session import Answer
from main.service.model import Listing, Paging

HEADERS = {"content-type": "application/json"}


def hints(body, headers=HEADERS, received=10, params=None, **page):
    return find_hints(Listing(params=params or {}, page=Paging(**page)), received, body, Answer("", headers, b""))


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ({"style": "cursor", "cursor": "meta.nxt"}, "list.page.cursor: meta.nxt finds nothing, because there is no nxt"),
        ({"style": "cursor", "cursor": "meta"}, "list.page.cursor: meta finds neither text nor a whole number"),
        ({"style": "next_url", "next": "links.next"}, "list.page.next: links.next finds nothing, because there is no links"),
        ({"style": "cursor", "cursor_header": "X-Nxt"}, "list.page.cursor_header: the answer has no header X-Nxt"),
        ({"style": "link"}, "list.page.style: the answer has no header Link"),
        ({"style": "page", "more": "meta.mor"}, "list.page.more: meta.mor finds nothing, because there is no mor"),
        ({"style": "cursor", "cursor": "nxt", "more": "mor"}, "list.page.more: mor finds nothing, because there is no mor"),
    ],
)
def test_what_is_looked_for_in_vain_is_told_once(page, told):
    assert hints({"meta": {"next": "x", "more": True}}, **page) == (f"{told}, so the list ends here",)


@pytest.mark.parametrize(
    ("body", "headers", "page"),
    [
        ({"next": "x"}, HEADERS, {"style": "cursor", "cursor": "next"}),
        ({"next": None}, HEADERS, {"style": "cursor", "cursor": "next"}),
        ({"next": ""}, HEADERS, {"style": "next_url", "next": "next"}),
        ({"more": False}, HEADERS, {"style": "cursor", "cursor": "next", "more": "more"}),
        ({"more": True, "next": "x"}, HEADERS, {"style": "cursor", "cursor": "next", "more": "more"}),
        ({}, HEADERS | {"x-next": "5"}, {"style": "cursor", "cursor_header": "X-Next"}),
        ({}, HEADERS | {"link": '<a>; rel="prev"'}, {"style": "link"}),
        ({}, {}, {"style": "link"}),
        ({"rows": []}, HEADERS, {"style": "page", "param": "p"}),
    ],
)
def test_a_list_that_may_well_end_there_is_left_in_peace(body, headers, page):
    assert hints(body, headers, **page) == ()


def test_an_empty_list_has_nothing_to_go_on_with():
    assert hints({}, received=0, style="cursor", cursor="next") == ()


@pytest.mark.parametrize(("received", "params", "told"), [(50, {}, True), (37, {"n": "37"}, True), (37, {"n": "50"}, False)])
def test_a_page_that_looks_full_may_not_be_all(received, params, told):
    found = hints([], received=received, params=params)
    assert bool(found) is told
    assert all(f"just {received} records" in hint for hint in found)


def test_the_way_on_is_named_as_in_the_settings():
    assert name_end(Paging(style="next_url", next="a")) == "list.page.next finds nothing"
    assert name_end(Paging(style="page")) == "there are no records"
