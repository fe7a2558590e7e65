"""The Link header, by the examples of RFC 8288 (3.5) and by what shops send."""

import time

import pytest

from main.resources.upstream.links import parse_links


@pytest.mark.parametrize(
    ("header", "links"),
    [
        (
            '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"',
            [("http://example.com/TheBook/chapter2", {"rel": "previous", "title": "previous chapter"})],
        ),
        ('</>; rel="http://example.net/foo"', [("/", {"rel": "http://example.net/foo"})]),
        ('</terms>; rel="copyright"; anchor="#foo"', [("/terms", {"rel": "copyright", "anchor": "#foo"})]),
        (
            """</TheBook/chapter2>; rel="previous"; title*=UTF-8'de'letztes%20Kapitel,
               </TheBook/chapter4>; rel="next"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel""",
            [
                ("/TheBook/chapter2", {"rel": "previous", "title*": "UTF-8'de'letztes%20Kapitel"}),
                ("/TheBook/chapter4", {"rel": "next", "title*": "UTF-8'de'n%c3%a4chstes%20Kapitel"}),
            ],
        ),
        (
            '<http://example.org/>; rel="start http://example.net/relation/other"',
            [("http://example.org/", {"rel": "start http://example.net/relation/other"})],
        ),
        (
            '<https://example.org/>; rel="start", <https://example.org/index>; rel="index"',
            [("https://example.org/", {"rel": "start"}), ("https://example.org/index", {"rel": "index"})],
        ),
    ],
)
def test_the_examples_of_the_rfc_are_read(header, links):
    assert list(parse_links(header)) == links


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ("", {}),
        (";rel=next", {"rel": "next"}),
        (" ; Rel = NEXT ", {"rel": "NEXT"}),
        ("; rel=next; rel=prev", {"rel": "next"}),
        ('; title="a=b"; rel="next"', {"title": "a=b", "rel": "next"}),
        ('; title="a; rel=prev, <x>"; rel="next"', {"title": "a; rel=prev, <x>", "rel": "next"}),
        ('; title="say \\"hi\\" \\\\"; rel="next"', {"title": 'say "hi" \\', "rel": "next"}),
        ("; crossorigin; rel=next;", {"crossorigin": "", "rel": "next", "": ""}),
        ('; rel="next', {"rel": ""}),
    ],
)
def test_parameters_are_read_as_they_may_be_written(params, found):
    assert list(parse_links(f"<x>{params}")) == [("x", found)]


@pytest.mark.parametrize("target", ["https://a.example/v1/items;v=1?page=2", "?page=2&ids=1,2", "", "a,b;rel=prev"])
def test_a_target_may_hold_what_separates(target):
    assert list(parse_links(f"<https://a.example/0>; rel=prev,< {target} >; rel=next")) == [
        ("https://a.example/0", {"rel": "prev"}),
        (target, {"rel": "next"}),
    ]


@pytest.mark.parametrize("malformed", ["garbage", "<http://a/", "a>; rel=prev", '<a>; rel="prev" b; c', ",,;", "<a>=;"])
def test_what_is_malformed_hides_no_other_link(malformed):
    assert list(parse_links(f"{malformed}, <b>; rel=next"))[-1] == ("b", {"rel": "next"})


@pytest.mark.parametrize("piece", ["<", "<a>", ";", '"', ";a=", ';a="', ';a="\\', "<a", " ", "<a>; ", '<a>;b="\\"'])
def test_no_header_takes_long(piece):
    began = time.thread_time()
    list(parse_links(piece * (64 * 1024 // len(piece))))
    assert time.thread_time() - began < 1
