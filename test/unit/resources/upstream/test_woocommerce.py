"""Kind woocommerce, REST v3: totals in headers, variations behind calls of their own."""

from datetime import UTC, datetime

import orjson
import pytest
from werkzeug import Response

from main.resources.upstream.woocommerce import VariationsCall, option_values, variations_call
from main.service.errors import CrawlIncomplete, UpstreamGarbled, UpstreamRefused
from main.service.model import Availability, Credentials, Money, PriceRange, Rating
from main.util.secret import Secret
from sample.dialects import Credentials as ShopCredentials
from sample.dialects import woocommerce_app
from sample.records import Records
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

ROOT = "/wp-json/wc/v3/products"
RECORD = {
    "id": 1,
    "name": "Coat &amp; Hat",
    "permalink": "https://depot.example/coat",
    "status": "publish",
    "sku": "",
    "price": "19.99",
    "regular_price": "25",
    "description": "<p>Warm</p>",
    "short_description": "Short",
    "categories": [{"id": 9, "name": "Clothes"}, {"id": 10, "name": "Winter"}],
    "tags": [{"name": "wool"}],
    "images": [{"src": "https://depot.example/1.jpg"}],
    "average_rating": "4.50",
    "rating_count": 2,
    "stock_status": "instock",
    "stock_quantity": 16.5,
    "date_modified_gmt": "2026-01-02T03:04:05",
    "attributes": [],
    "variations": [],
}
VARIATION = {
    "id": 11,
    "price": "8",
    "sale_price": "7",
    "stock_status": "instock",
    "stock_quantity": None,
    "manage_stock": "parent",
    "attributes": [{"id": 0, "name": "Size", "option": "S"}],
}


def shop(count: int, **more: object):
    return woocommerce_app(Records([RECORD | {"id": number} for number in range(1, count + 1)]), **more)


def load(dial, variations: list | None = None, **changes: object):
    record = RECORD | changes | ({} if variations is None else {"_variations": variations})
    return dial(shop(0), "woocommerce", api="v3").load(orjson.dumps(record))


class TestPaging:
    @pytest.mark.parametrize(("count", "calls"), [(0, [None]), (100, [None]), (101, [None, 2]), (450, [None, 2, 3, 4, 5])])
    @pytest.mark.parametrize("wrap", [False, True])
    def test_all_pages_follow_from_the_first_ones_headers(self, dial, count, calls, wrap):
        connector = dial(shop(count, wrap=wrap), "woocommerce", api="v3")
        first = connector.fetch(None)
        assert (first.total, first.held, len(first.records)) == (count, 0, min(count, 100))
        records, made = crawl(connector)
        assert (len(load_all(connector, records)[0]), made) == (count, calls)

    @pytest.mark.parametrize("past_the_end", [200, 400])
    def test_without_headers_pages_go_on_until_one_is_empty_or_refused(self, dial, past_the_end):
        rows = [RECORD | {"id": number} for number in range(1, 251)]

        def answer(request):
            start = (int(request.args["page"]) - 1) * 100
            page = rows[start : start + 100]
            return Response(orjson.dumps(page), 200 if page else past_the_end)

        connector = dial(canned(answer), "woocommerce", api="v3", concurrency=2)
        records, made = crawl(connector)
        assert (len(records), connector.fetch(None).total) == (250, None)
        assert made == [None, 2, 3, 4]

    @pytest.mark.parametrize("header", ["X-WP-Total", "X-WP-TotalPages"])
    def test_more_than_max_products_are_refused_before_any_call_is_planned(self, dial, header):
        app = canned(lambda _: Response(orjson.dumps([RECORD]), headers={header: "5000000"}))
        with pytest.raises(CrawlIncomplete, match="more than the 250000 products"):
            dial(app, "woocommerce", api="v3").fetch(None)

    def test_a_first_page_that_is_refused_is_an_error(self, dial):
        with pytest.raises(UpstreamRefused, match="400"):
            dial(canned(lambda _: Response(b"", 400)), "woocommerce", api="v3").fetch(None)

    def test_a_later_page_that_is_not_found_is_an_error(self, dial):
        with pytest.raises(UpstreamRefused, match="404"):
            dial(canned(lambda _: Response(b"", 404)), "woocommerce", api="v3").fetch(2)

    def test_a_html_page_is_garbled(self, dial):
        with pytest.raises(UpstreamGarbled, match="HTML"):
            dial(canned(lambda _: Response("<html>maintenance")), "woocommerce", api="v3").fetch(None)

    @pytest.mark.parametrize(
        ("credentials", "accepted"),
        [
            (Credentials(basic=(Secret("key"), Secret("secret"))), True),
            (Credentials(query=(("consumer_key", Secret("key")), ("consumer_secret", Secret("secret")))), True),
            (Credentials(basic=(Secret("key"), Secret("wrong"))), False),
        ],
    )
    def test_the_key_opens_the_shop_as_basic_auth_or_in_the_query(self, dial, credentials, accepted):
        connector = dial(shop(3, credentials=ShopCredentials("key", "secret")), "woocommerce", credentials=credentials)
        if accepted:
            assert len(crawl(connector)[0]) == 3
        else:
            with pytest.raises(UpstreamRefused, match="401"):
                connector.fetch(None)


class TestVariations:
    def parent(self, **more: object) -> dict:
        return RECORD | {"id": 7, "price": "8", "variations": [11, 12], **more}

    @pytest.mark.parametrize(("count", "wrap"), [(1, False), (100, False), (101, True), (230, False)])
    def test_they_are_fetched_page_by_page_and_join_their_product(self, dial, count, wrap):
        children = Records([VARIATION | {"id": number} for number in range(100, 100 + count)])
        connector = dial(woocommerce_app(Records([self.parent(), RECORD]), {"7": children}, wrap=wrap), "woocommerce", api="v3")
        records, made = crawl(connector)
        products, rejected = load_all(connector, records)
        assert rejected == {}
        assert {product.source_id: len(product.variants) for product in products} == {"1": 0, "7": count}
        assert [type(call) for call in made[1:]] == [VariationsCall]

    def test_a_page_tells_how_many_of_its_products_come_later(self, dial):
        connector = dial(woocommerce_app(Records([self.parent()]), {"7": Records([VARIATION])}), "woocommerce", api="v3")
        page = connector.fetch(None)
        assert (page.records, page.held, len(page.upcoming)) == ((), 1, 1)

    def test_without_headers_they_end_with_a_short_page(self, dial):
        rows = [VARIATION | {"id": number} for number in range(150)]

        def answer(request):
            if not request.path.endswith("/variations"):
                return Response(orjson.dumps([self.parent()] if request.args["page"] == "1" else []))
            start = (int(request.args["page"]) - 1) * 100
            return Response(orjson.dumps(rows[start : start + 100]))

        connector = dial(canned(answer), "woocommerce", api="v3")
        (product,) = load_all(connector, crawl(connector)[0])[0]
        assert len(product.variants) == 150

    def test_a_header_that_promises_more_pages_than_there_are_does_not_go_on_forever(self, dial):
        app = canned(
            lambda request: Response("[]" if "variations" in request.path else b"", headers={"X-WP-TotalPages": "1000000"})
        )
        call = VariationsCall(7, orjson.dumps(self.parent()))
        (record,) = dial(app, "woocommerce", api="v3").fetch(call).records
        assert orjson.loads(record)["_variations"] == []

    def test_a_product_deleted_meanwhile_stays_without_variants(self, dial):
        connector = dial(woocommerce_app(Records([])), "woocommerce", api="v3")
        (record,) = connector.fetch(VariationsCall(7, orjson.dumps(self.parent()))).records
        product = connector.load(record)
        assert (product.variants, product.price) == ((), Money(800, "EUR"))

    def test_any_other_refusal_is_an_error(self, dial):
        with pytest.raises(UpstreamRefused, match="500"):
            dial(canned(lambda _: Response(b"", 500)), "woocommerce", api="v3").fetch(VariationsCall(7, b"{}"))

    @pytest.mark.parametrize(
        "raw",
        [
            b"5",
            b"[]",
            b"{",
            b'{"id": 1}',
            b'{"id": 1, "variations": []}',
            b'{"id": "x", "variations": [1]}',
            b'{"id":1,"variations":{}}',
        ],
    )
    def test_a_record_that_lists_none_waits_for_none(self, raw):
        assert variations_call(raw) is None

    def test_the_price_is_the_lowest_that_can_be_bought(self, dial):
        rows = [
            VARIATION | {"id": 1, "price": "5", "stock_status": "outofstock"},
            VARIATION | {"id": 2, "price": "8"},
            VARIATION | {"id": 3, "price": "9.50", "stock_status": "onbackorder"},
            VARIATION | {"id": 4, "price": ""},
        ]
        product = load(dial, rows, price="")
        assert (product.price, product.price_range) == (Money(800, "EUR"), PriceRange(Money(500, "EUR"), Money(950, "EUR")))
        assert [variant.price and variant.price.minor for variant in product.variants] == [500, 800, 950, None]

    def test_a_variation_has_its_options_as_its_name(self, dial):
        row = VARIATION | {
            "attributes": [{"name": "Size", "option": "S"}, {"name": "Colour", "option": "Red"}, {"name": "Any", "option": ""}]
        }
        (variant,) = load(dial, [row | {"sku": "V-1", "stock_quantity": 3.0, "global_unique_id": "4260488132709"}]).variants
        assert (variant.name, variant.options) == ("S / Red", {"Size": "S", "Colour": "Red"})
        assert (variant.id, variant.sku, variant.stock, variant.gtin, variant.price) == (
            "11",
            "V-1",
            3,
            "04260488132709",
            Money(800, "EUR"),
        )

    def test_a_private_variation_is_left_out(self, dial):
        product = load(
            dial, [VARIATION | {"id": 1, "status": "private", "price": "1"}, VARIATION | {"id": 2, "status": "publish"}]
        )
        assert ([variant.id for variant in product.variants], product.price) == (["2"], Money(800, "EUR"))

    @pytest.mark.parametrize("attributes", [None, 5, [], [5], [{}], [{"name": "x"}], {"name": "x", "option": "y"}])
    def test_attributes_that_are_none_give_no_options(self, attributes):
        assert option_values(attributes) == {}


class TestMapping:
    def test_each_field_finds_its_place(self, dial):
        product = load(dial)
        assert (product.id, product.name, product.url, product.sku) == (
            "acme:1",
            "Coat & Hat",
            "https://depot.example/coat",
            None,
        )
        assert (product.price, product.description, product.category) == (Money(1999, "EUR"), "Warm", "Clothes")
        assert (product.tags, product.images, product.rating) == (("wool",), ("https://depot.example/1.jpg",), Rating(4.5, 2))
        assert (product.stock, product.availability) == (16, Availability.IN_STOCK)
        assert product.updated_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_the_short_description_stands_in_for_a_missing_one(self, dial):
        assert load(dial, description="").description == "Short"

    @pytest.mark.parametrize("status", ["private", "draft", "pending"])
    def test_what_is_not_published_is_rejected(self, dial, status):
        connector = dial(shop(0), "woocommerce", api="v3")
        assert load_all(connector, [orjson.dumps(RECORD | {"status": status})])[1] == {
            "1": [("status", f"is {status!r}: not on sale")]
        }

    def test_an_empty_price_goes_to_quarantine_with_its_reason(self, dial):
        connector = dial(shop(0), "woocommerce", api="v3")
        reason = "is missing or empty, and what has no price cannot be bought"
        assert load_all(connector, [orjson.dumps(RECORD | {"price": ""})])[1] == {"1": [("price", reason)]}

    @pytest.mark.parametrize(
        ("changes", "brand"),
        [
            ({"brands": [{"name": "Acme"}]}, "Acme"),
            ({"attributes": [{"name": "Colour", "options": ["x"]}, {"name": "BRAND", "options": ["Acme", "Other"]}]}, "Acme"),
            ({"attributes": [{"name": "brand", "options": []}]}, None),
            ({"attributes": [5, {"name": None}]}, None),
            ({"attributes": None}, None),
        ],
    )
    def test_the_brand_comes_from_brands_or_from_an_attribute_of_that_name(self, dial, changes, brand):
        assert load(dial, **changes).brand == brand

    @pytest.mark.parametrize(
        ("word", "availability"), [("outofstock", "OutOfStock"), ("onbackorder", "BackOrder"), ("soon", None), (None, None)]
    )
    def test_the_stock_status_becomes_a_word_of_schema_org(self, dial, word, availability):
        assert load(dial, stock_status=word).availability == availability

    def test_a_proven_code_is_a_gtin_and_another_an_attribute(self, dial):
        assert load(dial, global_unique_id="4260488132709").gtin == "04260488132709"
        assert load(dial, global_unique_id="X-1").attributes == {"barcode": "X-1"}


class TestLook:
    def test_the_ids_are_one_call_and_variations_one_each(self, dial):
        parent = RECORD | {"id": 7, "price": "", "variations": [11]}
        connector = dial(woocommerce_app(Records([RECORD, parent]), {"7": Records([VARIATION])}), "woocommerce", api="v3")
        found = look(connector, "1", "7", "8")
        assert (connector.look_size, set(found)) == (10, {"1", "7"})
        assert {key: connector.load(raw).price for key, raw in found.items()} == {
            "1": Money(1999, "EUR"),
            "7": Money(800, "EUR"),
        }
        assert [form.id for form in connector.load(found["7"]).variants] == ["11"]

    @pytest.mark.parametrize("wrap", [False, True])
    def test_a_list_in_an_envelope_is_read_too(self, dial, wrap):
        assert list(look(dial(shop(3, wrap=wrap), "woocommerce", api="v3"), "2")) == ["2"]

    def test_an_id_that_is_no_number_is_nothing_the_shop_has(self, dial):
        asked = []
        connector = dial(canned(lambda request: asked.append(request) or Response(b"[]")), "woocommerce", api="v3")
        assert (look(connector, "../users", "1,2"), asked) == ({}, [])

    @pytest.mark.parametrize("row", [RECORD, RECORD | {"id": None}, 5])
    def test_an_answer_about_anything_else_is_garbled(self, dial, row):
        with pytest.raises(UpstreamGarbled):
            look(dial(canned(lambda _: Response(orjson.dumps([row]))), "woocommerce", api="v3"), "2")

    def test_a_refusal_is_an_error(self, dial):
        with pytest.raises(UpstreamRefused, match="404"):
            look(dial(canned(lambda _: Response(b"", 404)), "woocommerce", api="v3"), "2")
