"""Kind ebay, with what its API really answers."""

import json

from werkzeug import Response

from main.service.model import Credentials, Listing, Money
from main.util.secret import Secret
from test.unit.resources.upstream.payloads import payload
from test.unit.resources.upstream.shops import canned, crawl, load_all

PATH = "/buy/browse/v1/item_summary/search"


def shop(rows, size=10):
    def answer(request):
        assert (request.path, request.args["q"], request.headers["Authorization"]) == (PATH, "iphone", "Bearer t0ken")
        offset = int(request.args.get("offset", 0))
        more = {"next": f"{request.base_url}?q=iphone&offset={offset + size}"} if offset + size < len(rows) else {}
        page = rows[offset : offset + size]
        return Response(json.dumps({"total": 8_532_919, **more, **({"itemSummaries": page} if page else {})}))

    return canned(answer)


def dialled(dial, rows):
    credentials = Credentials(bearer=Secret("t0ken"))
    return dial(shop(rows), "ebay", listing=Listing(params={"q": "iphone"}), credentials=credentials)


def test_no_hit_is_an_answer_without_a_list(dial):
    assert crawl(dialled(dial, [])) == ([], [None])


def test_next_is_followed_and_the_estimated_total_is_not_held_against_the_shop(dial):
    connector = dialled(dial, [{"itemId": str(number)} for number in range(25)])
    assert connector.fetch(None).total is None
    records, made = crawl(connector)
    assert (len(records), len(made)) == (25, 3)


def test_every_offer_of_a_real_answer_is_read(dial):
    rows = payload("ebay_browse/item_summary_search_iphone_best_match_limit100.json")["itemSummaries"]
    connector = dialled(dial, rows)
    products, rejected = load_all(connector, crawl(connector)[0])
    assert (len(products), rejected) == (100, {})
    first = products[0]
    assert (first.source_id, first.price) == ("v1|334691749565|543843548440", Money(18999, "USD"))
    assert (first.category, first.tags, len(first.images)) == ("Cell Phones & Smartphones", ("Used",), 6)
