"""Kind woocommerce, Store API: public, money in minor units."""

import orjson
import pytest
from werkzeug import Response

from main.service.errors import CrawlIncomplete, UpstreamGarbled, UpstreamRefused
from main.service.model import Availability, Money, PriceRange, Rating
from sample.dialects import store_api_app
from sample.records import Records
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

PRICES = {"price": "277666", "regular_price": "300000", "currency_code": "EGP", "currency_minor_unit": 2, "price_range": None}
RECORD = {
    "id": 10150,
    "name": "سلك نحاس &#8211; 3 مم",
    "permalink": "https://shop.example/%d8%b3",
    "sku": "W-1",
    "description": "<p>نحاس</p>",
    "prices": PRICES,
    "categories": [{"name": "أسلاك"}],
    "brands": [{"name": "Acme"}],
    "images": [{"src": "https://shop.example/1.jpg"}],
    "average_rating": "0",
    "review_count": 0,
    "is_in_stock": True,
    "is_on_backorder": False,
    "low_stock_remaining": None,
    "variations": [],
}


def load(dial, **changes: object):
    return dial(store_api_app(Records([])), "woocommerce", api="store").load(orjson.dumps(RECORD | changes))


def rejected(dial, **changes: object) -> list[tuple[str, str]]:
    connector = dial(store_api_app(Records([])), "woocommerce", api="store", currency=changes.pop("currency", "EUR"))
    return load_all(connector, [orjson.dumps(RECORD | changes)])[1]["10150"]


class TestPaging:
    @pytest.mark.parametrize(("count", "calls"), [(0, [None]), (18, [None]), (250, [None, 2, 3])])
    def test_all_pages_follow_from_the_first_ones_headers(self, dial, count, calls):
        connector = dial(
            store_api_app(Records([RECORD | {"id": number} for number in range(1, count + 1)])), "woocommerce", api="store"
        )
        assert connector.fetch(None).total == count
        records, made = crawl(connector)
        assert (len(load_all(connector, records)[0]), made) == (count, calls)

    def test_a_shop_without_the_versioned_path_is_asked_by_the_plain_one(self, dial):
        paths = []

        def answer(request):
            paths.append(request.path)
            if "/v1/" in request.path:
                return Response(b"", 404)
            return Response(
                orjson.dumps([RECORD] * 100 if request.args["page"] == "1" else []), headers={"X-WP-TotalPages": "2"}
            )

        connector = dial(canned(answer), "woocommerce", api="store")
        crawl(connector)
        plain = "/wp-json/wc/store/products"
        assert paths == ["/wp-json/wc/store/v1/products", plain, plain]
        connector.fetch(None)
        assert paths[3] == "/wp-json/wc/store/v1/products"

    @pytest.mark.parametrize("header", ["X-WP-Total", "X-WP-TotalPages"])
    def test_more_than_max_products_are_refused_before_any_call_is_planned(self, dial, header):
        app = canned(lambda _: Response(orjson.dumps([RECORD]), headers={header: "5000000"}))
        with pytest.raises(CrawlIncomplete, match="more than the 250000 products"):
            dial(app, "woocommerce", api="store").fetch(None)

    def test_any_other_refusal_is_an_error(self, dial):
        with pytest.raises(UpstreamRefused, match="403"):
            dial(canned(lambda _: Response(b"", 403)), "woocommerce", api="store").fetch(None)

    def test_without_headers_pages_go_on_until_one_is_empty(self, dial):
        rows = [RECORD | {"id": number} for number in range(1, 131)]

        def answer(request):
            start = (int(request.args["page"]) - 1) * 100
            return Response(orjson.dumps({"data": rows[start : start + 100]}))

        records, made = crawl(dial(canned(answer), "woocommerce", api="store", concurrency=2))
        assert (len(records), made) == (130, [None, 2, 3])


class TestMoney:
    @pytest.mark.parametrize(
        ("written", "unit", "currency", "money"),
        [
            ("277666", 2, "EGP", Money(277666, "EGP")),
            ("1500", 0, "JPY", Money(1500, "JPY")),
            ("1500", 2, "JPY", Money(15, "JPY")),
            ("1999", 3, "KWD", Money(1999, "KWD")),
            (1999, 2, "EUR", Money(1999, "EUR")),
            ("19990", 3, "EUR", Money(1999, "EUR")),
        ],
    )
    def test_minor_units_are_those_the_shop_says(self, dial, written, unit, currency, money):
        prices = {"price": written, "currency_minor_unit": unit, "currency_code": currency}
        assert load(dial, prices=prices).price == money

    def test_an_amount_finer_than_the_currency_is_rejected(self, dial):
        assert rejected(dial, prices=PRICES | {"currency_minor_unit": 3}) == [
            ("prices.price", "has more decimal places than EGP has (2): 277.666")
        ]

    @pytest.mark.parametrize("unit", [None, "2", -1, 5, 2.0, 2**63])
    def test_without_a_usable_unit_the_price_is_unknown(self, dial, unit):
        assert rejected(dial, prices=PRICES | {"currency_minor_unit": unit}) == [
            ("prices", "has no usable currency_minor_unit")
        ]

    @pytest.mark.parametrize("code", [None, "", "E£", 818])
    def test_the_settings_currency_stands_in_for_one_the_shop_does_not_tell(self, dial, code):
        assert load(dial, prices=PRICES | {"currency_code": code}).price == Money(277666, "EUR")
        assert rejected(dial, prices=PRICES | {"currency_code": code}, currency=None)[0][0] == "currency"

    @pytest.mark.parametrize("prices", [None, 5, [], {}, PRICES | {"price": ""}, PRICES | {"price": None}])
    def test_what_has_no_price_is_rejected(self, dial, prices):
        assert rejected(dial, prices=prices) == [("price", "is missing or empty, and what has no price cannot be bought")]

    def test_a_price_that_is_none_names_its_field(self, dial):
        ((field, reason),) = rejected(dial, prices=PRICES | {"price": "free"})
        assert (field, reason) == ("prices.price", "is not an amount: expected a decimal number such as 19.99, got 'free'")

    @pytest.mark.parametrize(
        ("told", "found"),
        [
            ({"min_amount": "100", "max_amount": "900"}, PriceRange(Money(100, "EGP"), Money(900, "EGP"))),
            ({"min_amount": "100", "max_amount": "100"}, None),
            ({"min_amount": "100"}, None),
            ({}, None),
            (None, None),
            ([], None),
        ],
    )
    def test_a_range_is_told_where_the_shop_tells_one(self, dial, told, found):
        assert load(dial, prices=PRICES | {"price_range": told}).price_range == found


class TestMapping:
    def test_each_field_finds_its_place(self, dial):
        product = load(dial)
        assert (product.id, product.name, product.description) == ("acme:10150", "سلك نحاس \N{EN DASH} 3 مم", "نحاس")
        assert (product.sku, product.brand, product.category) == ("W-1", "Acme", "أسلاك")
        assert (product.url, product.images) == ("https://shop.example/%d8%b3", ("https://shop.example/1.jpg",))
        assert (product.rating, product.stock, product.variants) == (None, None, ())

    def test_ratings_and_the_last_few_pieces_are_told(self, dial):
        product = load(dial, average_rating="4.5", review_count=2, low_stock_remaining=3)
        assert (product.rating, product.stock) == (Rating(4.5, 2), 3)

    @pytest.mark.parametrize(
        ("in_stock", "on_backorder", "availability"),
        [
            (True, False, Availability.IN_STOCK),
            (False, False, Availability.OUT_OF_STOCK),
            (True, True, Availability.BACK_ORDER),
            (None, None, None),
            ("yes", "no", None),
        ],
    )
    def test_the_stock_flags_become_a_word_of_schema_org(self, dial, in_stock, on_backorder, availability):
        assert load(dial, is_in_stock=in_stock, is_on_backorder=on_backorder).availability == availability

    def test_variations_are_known_by_id_and_options_only(self, dial):
        rows = [
            {"id": 5, "attributes": [{"name": "Size", "value": "S"}, {"name": "Colour", "value": "Red"}]},
            {"id": "x"},
            5,
            {"id": 6, "attributes": None},
        ]
        first, second = load(dial, variations=rows).variants
        assert (first.id, first.name, first.options, first.price) == ("5", "S / Red", {"Size": "S", "Colour": "Red"}, None)
        assert (second.id, second.name) == ("6", None)

    @pytest.mark.parametrize("variations", [None, 5, {}])
    def test_variations_that_are_none_are_left_out(self, dial, variations):
        assert load(dial, variations=variations).variants == ()


class TestLook:
    def test_many_ids_are_one_call(self, dial):
        connector = dial(
            store_api_app(Records([RECORD | {"id": number} for number in range(1, 131)])), "woocommerce", api="store"
        )
        found = look(connector, *map(str, range(100, 200)))
        assert (connector.look_size, set(found)) == (100, set(map(str, range(100, 131))))
        assert connector.load(found["100"]).price == Money(277666, "EGP")

    def test_a_shop_without_the_versioned_path_is_asked_by_the_plain_one(self, dial):
        paths = []

        def answer(request):
            paths.append((request.path, request.args["include"]))
            return Response(b"", 404) if "/v1/" in request.path else Response(orjson.dumps([RECORD]))

        connector = dial(canned(answer), "woocommerce", api="store")
        assert list(look(connector, "10150")) == list(look(connector, "10150")) == ["10150"]
        plain = ("/wp-json/wc/store/products", "10150")
        assert paths == [("/wp-json/wc/store/v1/products", "10150"), plain, plain]

    def test_an_id_that_is_no_number_is_nothing_the_shop_has(self, dial):
        assert look(dial(store_api_app(Records([RECORD])), "woocommerce", api="store"), "x", "1/2") == {}

    def test_an_answer_about_anything_else_is_garbled(self, dial):
        with pytest.raises(UpstreamGarbled, match="another product"):
            look(dial(canned(lambda _: Response(orjson.dumps([RECORD]))), "woocommerce", api="store"), "5")
