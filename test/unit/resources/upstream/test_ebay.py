"""Kind ebay, with what its API really answers."""

import json

from werkzeug import Response

from main.service.model import Availability, Credentials, Listing, Money
from main.util.secret import Secret
from test.unit.resources.upstream.payloads import payload
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

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


def test_one_item_is_asked_for_by_its_own_address_and_tells_how_many_there_are(dial):
    item_id = "v1|334691749565|543843548440"
    left = [{"estimatedAvailabilityStatus": "LIMITED_STOCK", "estimatedAvailableQuantity": 2}]
    record = {
        "itemId": item_id,
        "title": "Phone",
        "price": {"value": "9.99", "currency": "USD"},
        "estimatedAvailabilities": left,
    }

    def answer(request):
        assert (request.path, request.query_string) == (f"/buy/browse/v1/item/{item_id}", b"")
        return Response(json.dumps(record))

    connector = dial(canned(answer), "ebay", listing=Listing(params={"q": "iphone"}))
    product = connector.load(look(connector, item_id)[item_id])
    assert (connector.look_size, product.price) == (1, Money(999, "USD"))
    assert (product.availability, product.stock) == (Availability.LIMITED, 2)


def test_an_item_that_has_ended_is_left_out(dial):
    app = canned(lambda _: Response('{"errors": [{"errorId": 11001, "message": "The specified item Id was not found."}]}', 404))
    assert look(dial(app, "ebay"), "v1|1|0") == {}


def test_each_offer_of_a_real_answer_looked_at_costs_what_it_costs_in_the_search(dial):
    rows = {
        row["itemId"]: row
        for row in payload("ebay_browse/item_summary_search_iphone_best_match_limit100.json")["itemSummaries"]
    }
    connector = dial(canned(lambda request: Response(json.dumps(rows[request.path.rpartition("/")[2]]))), "ebay")
    for item_id, row in rows.items():
        looked = connector.load(look(connector, item_id)[item_id])
        assert looked.price == connector.load(json.dumps(row).encode()).price
