"""Kind openfoodfacts, with what its API really answers."""

import json
from datetime import UTC, datetime

import pytest
from werkzeug import Response

from main.service.errors import RecordRejected, UpstreamGarbled
from main.service.model import Listing
from test.unit.resources.upstream.payloads import paged, payload
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

RECORD = {
    "code": "3596710467112",
    "product_name": "",
    "product_name_en": "Salmon",
    "brands": "Auchan, Other",
    "categories": "Seafood,Fish",
}


def shop(rows, size=100, *, text=False):
    def answer(request):
        assert (request.path, request.args["page_size"]) == ("/api/v2/search", "100")
        page = int(request.args["page"])
        beside = {"count": len(rows), "page": page, "page_size": size, "page_count": 1}
        told = {key: str(value) for key, value in beside.items()} if text else beside
        return Response(json.dumps({**told, "products": paged(rows, page, size)}))

    return canned(answer)


@pytest.mark.parametrize("text", [False, True])
def test_pages_go_by_the_count_be_it_a_number_or_a_text(dial, text):
    rows = [RECORD | {"code": str(number)} for number in range(25)]
    records, made = crawl(dial(shop(rows, 10, text=text), "openfoodfacts", priced=False))
    assert (len(records), made) == (25, [None, 2, 3])


def test_the_settings_say_what_is_looked_for(dial):
    asked = []
    app = canned(lambda request: asked.append(request.args.to_dict()) or Response('{"products": [], "count": 0}'))
    dial(app, "openfoodfacts", listing=Listing(params={"categories_tags": "teas"})).fetch(None)
    assert asked == [{"categories_tags": "teas", "page": "1", "page_size": "100"}]


def test_the_code_is_the_barcode_and_lists_in_a_text_give_their_first(dial):
    product = dial(shop([]), "openfoodfacts", priced=False).load(json.dumps(RECORD).encode())
    assert (product.name, product.brand, product.category) == ("Salmon", "Auchan", "Seafood")
    assert (product.gtin, product.price) == ("03596710467112", None)


def test_without_brands_and_categories_there_are_none(dial):
    product = dial(shop([]), "openfoodfacts", priced=False).load(b'{"code": "1", "product_name": "Tea"}')
    assert (product.brand, product.category, product.gtin, product.attributes) == (None, None, None, {"barcode": "1"})


def test_a_source_that_is_not_marked_as_without_prices_rejects_them(dial):
    with pytest.raises(RecordRejected, match="no price"):
        dial(shop([]), "openfoodfacts").load(json.dumps(RECORD).encode())


def test_every_product_of_a_real_answer_is_read(dial):
    rows = payload("openfoodfacts/facet_code_3596710xxxxxx_page1.json")["products"]
    connector = dial(shop(rows), "openfoodfacts", priced=False)
    products, rejected = load_all(connector, crawl(connector)[0])
    assert (len(products), rejected) == (20, {})
    assert all(product.gtin == product.source_id.zfill(14) and product.images and product.updated_at for product in products)
    first = products[0]
    assert (first.brand, first.category) == ("Auchan", "Produits de la mer")
    assert first.updated_at == datetime(2020, 7, 10, 12, 47, 43, tzinfo=UTC)


@pytest.mark.parametrize("name", ["product_7622210288257", "v2_product_selected_fields"])
def test_the_product_of_a_real_single_answer_is_read(dial, name):
    found = payload(f"openfoodfacts/{name}.json")
    record = {"code": found["code"], "product_name": "Unnamed", **found["product"]}
    assert dial(shop([]), "openfoodfacts", priced=False).load(json.dumps(record).encode()).source_id == found["code"]


def test_a_real_answer_that_finds_nothing_is_no_list(dial):
    body = json.dumps(payload("openfoodfacts/v2_product_not_found.json"))
    with pytest.raises(UpstreamGarbled, match="no list"):
        dial(canned(lambda _: Response(body)), "openfoodfacts").fetch(None)


def test_the_codes_are_one_search_with_the_settings_parameters(dial):
    def answer(request):
        assert request.args.to_dict() == {"code": "3596710467112,2", "page_size": "100", "fields": "code"}
        return Response(json.dumps({"count": 1, "products": [RECORD]}))

    connector = dial(canned(answer), "openfoodfacts", priced=False, listing=Listing(params={"fields": "code"}))
    assert connector.look_size == 100
    assert list(look(connector, "3596710467112", "2")) == ["3596710467112"]


def test_a_search_that_does_not_know_the_code_is_garbled(dial):
    with pytest.raises(UpstreamGarbled, match="another product"):
        look(dial(canned(lambda _: Response(json.dumps({"products": [RECORD]}))), "openfoodfacts"), "5")
