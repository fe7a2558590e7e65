"""Page styles of a described list, against shops that page so over HTTP."""

import json
import time
from decimal import Decimal

import pytest
from werkzeug import Response

from main.resources.upstream import pager
from main.resources.upstream.pager import Pager
from main.service.errors import CrawlIncomplete, UpstreamGarbled
from main.service.model import FieldMap, FieldRule, Listing, Paging
from test.unit.resources.upstream.shops import canned, crawl

FIELDS = FieldMap(fields={"id": FieldRule("id"), "name": FieldRule("id"), "price": FieldRule("`1`")})
ROWS = [{"id": number} for number in range(1, 26)]


@pytest.fixture
def walk(dial):
    def read(answer, listing):
        connector = dial(canned(answer), "mapped", listing=listing, mapping=FIELDS)
        records, calls = crawl(connector)
        return [json.loads(raw)["id"] for raw in records], calls

    return read


def reply(rows, headers=None, **beside):
    return Response(json.dumps({"rows": rows, **beside}), headers=headers)


def listed(**page):
    return Listing(path="/v2/items", items="rows", params={"lang": "en"}, page=Paging(**page))


EVERYTHING = list(range(1, 26))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("total", "calls"), [("meta.count", 3), (None, 6)])
def test_pages_are_asked_for_by_number(walk, first, total, calls):
    def answer(request):
        assert request.args["lang"] == "en"
        start = (int(request.args["p"]) - first) * int(request.args["n"])
        return reply(ROWS[start : start + 10], meta={"count": "25"})

    found, made = walk(answer, listed(style="page", param="p", size_param="n", size=10, first=first, total=total))
    assert (sorted(found), len(made)) == (EVERYTHING, calls)


@pytest.mark.parametrize(("total", "size"), [("count", 10), (None, 10), (None, None), ("count", None)])
def test_offsets_go_by_what_came(walk, total, size):
    def answer(request):
        start = int(request.args["skip"])
        return reply(ROWS[start : start + 10], count=25)

    found, _ = walk(answer, listed(style="offset", param="skip", size=size, total=total))
    assert sorted(found) == EVERYTHING


@pytest.mark.parametrize("end", [{"next": None}, {"next": ""}, {}, {"next": False}])
def test_a_cursor_is_followed_until_it_is_gone(walk, end):
    def answer(request):
        start = int(request.args.get("after", 0))
        return reply(ROWS[start : start + 10], **({"next": str(start + 10)} if start < 20 else end))

    assert walk(answer, listed(style="cursor", param="after", cursor="next")) == (EVERYTHING, [None, "10", "20"])


def test_a_graphql_shop_is_asked_by_post_with_the_cursor_in_its_variables(walk):
    def answer(request):
        sent = request.get_json()
        assert (request.method, sent["query"], sent["variables"]["first"]) == ("POST", "{ products }", 10)
        start = int(sent["variables"].get("after") or 0)
        more = start < 20
        return reply(ROWS[start : start + 10], info={"more": more, "end": str(start + 10)})

    page = Paging(
        style="cursor",
        param="variables.after",
        size_param="variables.first",
        size=10,
        cursor="info.more && info.end",
    )
    listing = Listing(path="/graphql", items="rows", body={"query": "{ products }"}, page=page)
    assert walk(answer, listing)[0] == EVERYTHING


def test_a_body_and_a_position_in_the_query_go_together(walk):
    def answer(request):
        assert request.get_json() == {"all": True}
        start = int(request.args["skip"])
        return reply(ROWS[start : start + 10], count=25)

    page = Paging(style="offset", param="skip", total="count", where="query")
    assert sorted(walk(answer, Listing(items="rows", body={"all": True}, page=page))[0]) == EVERYTHING


@pytest.mark.parametrize("style", ["next_url", "link"])
def test_the_shops_own_link_is_followed(walk, style):
    def answer(request):
        start = int(request.args.get("from", 0))
        following = f"/v2/items?from={start + 10}" if start < 20 else None
        headers = {"Link": f'<{following}>; rel="next"'} if following else {}
        return reply(ROWS[start : start + 10], headers, links={"next": following})

    assert walk(answer, listed(style=style, next="links.next"))[0] == EVERYTHING


def test_a_link_to_another_host_is_refused(walk):
    with pytest.raises(UpstreamGarbled, match="another host"):
        walk(lambda _: reply(ROWS, next="http://elsewhere.example/2"), listed(style="next_url", next="next"))


def test_a_cursor_that_stands_still_is_refused(walk):
    with pytest.raises(CrawlIncomplete, match="repeats itself"):
        walk(lambda _: reply(ROWS, next="x"), listed(style="cursor", param="after", cursor="next"))


@pytest.mark.parametrize("style", ["cursor", "next_url", "link"])
def test_a_list_that_goes_round_in_a_circle_is_refused(walk, style):
    circle = {"0": "1", "1": "2", "2": "1"}

    def answer(request):
        at = request.args.get("after", "0")
        following = f"/v2/items?after={circle[at]}"
        headers = {"Link": f'<{following}>; rel="next"'}
        return reply(ROWS[int(at) : int(at) + 1], headers, cursor=circle[at], next=following)

    with pytest.raises(CrawlIncomplete, match="repeats itself: what it names as its next page came before"):
        walk(answer, listed(style=style, param="after", cursor="cursor", next="next"))


def test_another_crawl_may_go_the_same_way(dial):
    app = canned(lambda request: reply(ROWS[:1], next=None if "after" in request.args else "2"))
    page = listed(style="cursor", param="after", cursor="next")
    connector = dial(app, "mapped", listing=page, mapping=FIELDS)
    assert crawl(connector)[1] == crawl(connector)[1] == [None, "2"]


def test_without_paging_one_call_is_all(walk):
    assert walk(lambda _: reply(ROWS), listed()) == (EVERYTHING, [None])


@pytest.mark.parametrize("total", [None, "many", 1.5, -1, True])
def test_a_total_that_is_none_is_garbled(walk, total):
    with pytest.raises(UpstreamGarbled, match="how many"):
        walk(lambda _: reply(ROWS, count=total), listed(style="page", param="p", total="count"))


def test_an_expression_that_fails_on_an_answer_is_named(walk):
    with pytest.raises(UpstreamGarbled, match="length"):
        walk(lambda _: reply(ROWS, count=5), listed(style="page", param="p", total="length(count)"))


def test_a_whole_decimal_counts(walk):
    assert pager._whole(Decimal("25.0")) == 25


@pytest.mark.parametrize("text", ["25.5", "-1", "-1e999999", "1e-999999"])
def test_what_is_no_whole_number_counts_nothing(text):
    assert pager._whole(Decimal(text)) is None


def test_a_number_without_end_is_not_written_out():
    began = time.thread_time()
    assert pager._whole(Decimal("1e999999")) == 10**18
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("told", ["251", "20000000", "1" * 400, "1e999999"])
@pytest.mark.parametrize("style", [{"style": "page", "param": "p"}, {"style": "cursor", "param": "c", "cursor": "next"}])
def test_a_total_beyond_max_products_is_refused_before_any_call_is_planned(dial, told, style):
    app = canned(lambda _: Response(f'{{"rows": [{{"id": 1}}], "count": {told}}}'))
    connector = dial(app, "mapped", listing=listed(**style, total="count"), mapping=FIELDS, max_products=250)
    with pytest.raises(CrawlIncomplete, match="more than the 250 products that max_products allows"):
        connector.fetch(None)


def test_a_position_takes_the_place_of_what_is_no_object():
    body = {"variables": None}
    pager._put(body, "variables.page.after", 1)
    assert body == {"variables": {"page": {"after": 1}}}


@pytest.mark.parametrize("target", ["http://[", "//[::1", "https://a\u2100b/"])
def test_a_next_url_that_is_none_is_garbled(walk, target):
    with pytest.raises(UpstreamGarbled, match="next page is no URL"):
        walk(lambda _: reply(ROWS[:1], next=target), listed(style="next_url", next="next"))


def test_an_empty_first_page_ends_the_list():
    assert Pager(listed(style="page", param="p", total="count"), None, 4, 9).upcoming(None, 0, {"count": 0}, None) == ()


def test_a_cursor_may_stand_in_a_header(walk):
    def answer(request):
        start = int(request.args.get("after", 0))
        return reply(ROWS[start : start + 10], {"X-Next-Cursor": str(start + 10)} if start < 20 else {})

    page = {"style": "cursor", "param": "after", "cursor_header": "X-Next-Cursor"}
    assert walk(answer, listed(**page)) == (EVERYTHING, [None, "10", "20"])


@pytest.mark.parametrize("end", [False, None, "", []])
@pytest.mark.parametrize("total", [None, "count"])
def test_the_answer_may_say_whether_there_is_more(walk, end, total):
    def answer(request):
        # Past the end it would give the last page again and again.
        number = min(int(request.args["p"]), 3)
        return reply(ROWS[(number - 1) * 10 : number * 10], info={"more": number < 3 or end}, count=25)

    assert walk(answer, listed(style="page", param="p", size_param="n", size=10, more="info.more", total=total)) == (
        EVERYTHING,
        [None, 2, 3],
    )


def test_offsets_go_on_by_what_came_while_there_is_more(walk):
    def answer(request):
        start = int(request.args["skip"])
        return reply(ROWS[start : start + 10], more=start < 20)

    assert walk(answer, listed(style="offset", param="skip", more="more")) == (EVERYTHING, [None, 10, 20])


@pytest.mark.parametrize("style", ["cursor", "next_url", "link"])
def test_what_the_shop_names_as_next_is_left_alone_when_it_says_that_there_is_no_more(walk, style):
    def answer(request):
        start = int(request.args.get("after", 0))
        following = f"/v2/items?after={start + 10}"
        return reply(
            ROWS[start : start + 10],
            {"Link": f'<{following}>; rel="next"'},
            more=start < 20,
            cursor=str(start + 10),
            next=following,
        )

    page = {"style": style, "param": "after", "cursor": "cursor", "next": "next", "more": "more"}
    assert walk(answer, listed(**page))[0] == EVERYTHING


def test_an_end_that_cannot_be_read_is_garbled(walk):
    with pytest.raises(UpstreamGarbled, match="length"):
        walk(lambda _: reply(ROWS), listed(style="page", param="p", more="length(info)"))


MISSPELT = [
    ({"style": "cursor", "cursor": "nxt"}, r"list\.page\.cursor finds nothing"),
    ({"style": "cursor", "cursor_header": "X-Nxt"}, r"there is no header X-Nxt \(list\.page\.cursor_header\)"),
    ({"style": "next_url", "next": "nxt"}, r"list\.page\.next finds nothing"),
    ({"style": "link"}, 'there is no Link header with rel="next"'),
]


@pytest.mark.parametrize(("page", "why"), MISSPELT)
def test_a_list_that_goes_on_without_saying_where_is_no_whole_list(walk, page, why):
    with pytest.raises(CrawlIncomplete, match=rf"there is more \(list\.page\.more\), but on its first page {why}\.$"):
        walk(lambda _: reply(ROWS, more=True, next="x"), listed(param="after", more="more", **page))


@pytest.mark.parametrize("style", ["page", "offset"])
def test_an_empty_page_is_no_end_where_there_is_more(walk, style):
    def answer(request):
        return reply(ROWS[:10] if request.args["p"] in {"0", "1"} else [], more=True)

    with pytest.raises(CrawlIncomplete, match="but on a later page there are no records"):
        walk(answer, listed(style=style, param="p", more="more"))


def test_a_cursor_that_is_lost_on_the_way_is_told(walk):
    def answer(request):
        return reply(ROWS[:10], more=True, next=None if request.args.get("after") else "10")

    with pytest.raises(CrawlIncomplete, match=r"on a later page list\.page\.cursor finds nothing"):
        walk(answer, listed(style="cursor", param="after", cursor="next", more="more"))
