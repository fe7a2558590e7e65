"""How lists go on."""

import pytest

from main.resources.upstream.paging import Trail, counted, join_url, next_link, pages_after, refuse_beyond
from main.resources.upstream.session import Answer
from main.service.errors import CrawlIncomplete, UpstreamGarbled


def answer(**headers: str) -> Answer:
    return Answer("https://shop.example/v1/items", {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    ("page", "received", "last", "pages"),
    [
        (1, 100, None, (2, 3, 4)),
        (5, 100, None, (6, 7, 8)),
        (1, 101, None, (2, 3, 4)),
        (1, 99, None, (2,)),
        (1, 0, None, ()),
        (1, 100, 2, (2,)),
        (2, 100, 2, ()),
        (2, 50, 2, ()),
    ],
)
def test_after_a_full_page_several_follow_after_a_short_one_one_and_after_an_empty_one_none(page, received, last, pages):
    assert pages_after(page, received, size=100, window=3, last=last) == pages


def test_a_trail_is_followed_until_nothing_is_named():
    trail = Trail()
    assert [trail.follow(None, "a"), trail.follow("a", 0), trail.follow(0, ""), trail.follow(0, None)] == [("a",), (0,), (), ()]


def test_a_trail_that_meets_itself_is_refused_and_a_new_crawl_begins_anew():
    trail = Trail()
    trail.follow(None, "a")
    trail.follow("a", "b")
    for circle in ("a", "b"):
        with pytest.raises(CrawlIncomplete, match="repeats itself"):
            trail.follow("b", circle)
    assert trail.follow(None, "a") == ("a",)


@pytest.mark.parametrize("count", [None, 0, 10])
def test_what_a_crawl_may_take_passes(count):
    refuse_beyond(count, 10)


def test_what_a_crawl_may_not_take_is_refused_in_the_words_of_the_crawl():
    with pytest.raises(CrawlIncomplete, match="The shop has more than the 10 products that max_products allows"):
        refuse_beyond(11, 10)


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ('<https://a/x?page_info=b>; rel="next"', "https://a/x?page_info=b"),
        ('<https://a/0>; rel="previous", <https://a/2>; rel="next"', "https://a/2"),
        ('<https://a/0>; rel="previous"', None),
        ('<https://a/0>; rel="http://next.example/next nextpage"', None),
        ('<https://a/1>; rel="Next"', "https://a/1"),
        ("<https://a/1>; rel=NEXT", "https://a/1"),
        ("<https://a/1>; Rel=next", "https://a/1"),
        ('<https://a/1>; rel="next last"', "https://a/1"),
        ('<https://a/1>; title="a=b"; rel="next"', "https://a/1"),
        ('<https://a/items;v=1?page=2>; rel="next"', "https://a/items;v=1?page=2"),
        ('<?page=2>; rel="next"', "https://shop.example/v1/items?page=2"),
        ("<page2>; rel=prev; rel=next", None),
        ("", None),
        ("garbage", None),
        ("<>;;=;", None),
    ],
)
def test_the_next_link_is_found_among_the_others(header, url):
    assert next_link(answer(link=header)) == url


@pytest.mark.parametrize("target", ["http://[", "//[::1", "https://x]y/", "https://a\u2100b/"])
def test_a_next_page_that_is_no_url_is_garbled(target):
    with pytest.raises(UpstreamGarbled, match="The shop's next page is no URL"):
        next_link(answer(link=f"<{target}>; rel=next"))
    with pytest.raises(UpstreamGarbled, match="The shop's next page is no URL"):
        join_url("https://shop.example/", target)


def test_without_a_link_header_there_is_no_next():
    assert next_link(answer()) is None


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("18", 18),
        (" 18 ", 18),
        ("0", 0),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("x", None),
        ("\u0661", None),
        ("9" * 10, None),
    ],
)
def test_a_header_counts_when_it_is_a_whole_number(value, count):
    assert counted(answer(x_wp_total=value), "x-wp-total") == count


def test_a_header_that_is_not_there_counts_nothing():
    assert counted(answer(), "x-wp-total") is None
