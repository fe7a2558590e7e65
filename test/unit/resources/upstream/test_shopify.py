"""Kind shopify: the storefront's numbered pages, the Admin API's cursor, and what both call a product."""

from datetime import UTC, datetime

import orjson
import pytest
from werkzeug import Response

from main.resources.upstream.shopify import ShopifyConnector
from main.service.errors import CrawlIncomplete, RecordRejected, UpstreamGarbled, UpstreamRefused
from main.service.model import Availability, Credentials, Money, PriceRange, Wanted
from main.util.secret import Secret
from sample.dialects import admin_app, storefront_app
from sample.records import Records
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

ADMIN = "/admin/api/2024-01"
VARIANT = {
    "id": 50_000_000_001,
    "title": "Default Title",
    "sku": "L-1",
    "price": "19.99",
    "available": True,
    "option1": "Default Title",
}
RECORD = {
    "id": 10_000_000_001,
    "title": "Lamp",
    "handle": "lamp",
    "body_html": '<meta charset="utf-8"><p style="x">Bright &amp; <b>warm</b></p>',
    "vendor": "Luma",
    "product_type": "",
    "tags": ["led", "desk"],
    "images": [{"src": "https://cdn.example/1.jpg", "alt": None}],
    "updated_at": "2024-05-05T10:00:00-04:00",
    "options": [{"name": "Title", "values": ["Default Title"]}],
    "variants": [VARIANT],
}


def catalogue(count: int) -> Records:
    return Records([RECORD | {"id": number} for number in range(1, count + 1)])


def load(dial, *, path: str = "", **changes: object):
    return dial(storefront_app(Records([])), "shopify", path=path).load(orjson.dumps(RECORD | changes))


def variants(*changes: dict) -> list[dict]:
    return [VARIANT | {"id": number} | change for number, change in enumerate(changes, 1)]


class TestStorefront:
    @pytest.mark.parametrize(
        ("count", "window", "calls"), [(0, 4, [None]), (4, 4, [None, 2]), (250, 2, [None, 2, 3]), (600, 2, [None, 2, 3, 4])]
    )
    def test_pages_are_read_several_at_once_until_one_is_empty(self, dial, count, window, calls):
        connector = dial(storefront_app(catalogue(count)), "shopify", concurrency=window)
        records, made = crawl(connector)
        products, rejected = load_all(connector, records)
        assert (len({product.id for product in products}), rejected) == (count, {})
        assert made == calls

    def test_a_shop_that_clamps_the_limit_further_is_still_read_whole(self, dial):
        rows = [RECORD | {"id": number} for number in range(1, 96)]

        def answer(request):
            start = (int(request.args["page"]) - 1) * 30
            return Response(orjson.dumps({"products": rows[start : start + 30]}))

        records, made = crawl(dial(canned(answer), "shopify"))
        assert (len(records), made) == (95, [None, 2, 3, 4, 5])

    def test_no_page_beyond_25000_products_is_asked_for(self, dial):
        connector = dial(storefront_app(catalogue(25_000)), "shopify", concurrency=64)
        page = connector.fetch(99)
        assert page.upcoming == (100,)
        with pytest.raises(CrawlIncomplete, match="25,000"):
            connector.fetch(100)

    def test_a_shop_that_ends_just_before_25000_is_whole(self, dial):
        page = dial(storefront_app(catalogue(24_999)), "shopify").fetch(100)
        assert (len(tuple(page.records)), page.upcoming) == (249, ())

    def test_a_page_the_shop_refuses_is_an_error(self, dial):
        with pytest.raises(UpstreamRefused, match="400"):
            dial(storefront_app(catalogue(1)), "shopify").fetch(101)

    def test_a_password_page_is_garbled(self, dial):
        with pytest.raises(UpstreamGarbled, match="HTML"):
            dial(canned(lambda _: Response("<!doctype html>Opening soon")), "shopify").fetch(None)

    def test_another_envelope_is_garbled(self, dial):
        with pytest.raises(UpstreamGarbled, match="looked for products"):
            dial(canned(lambda _: Response('{"items": []}')), "shopify").fetch(None)


class TestAdmin:
    def test_the_cursor_is_followed_to_the_end(self, dial):
        connector = dial(admin_app(catalogue(600), token="t0ken"), "shopify", path=ADMIN, credentials=Credentials(header=("X-Shopify-Access-Token", Secret("t0ken"))))  # fmt: skip
        records, made = crawl(connector)
        assert (len(records), len(set(records)), len(made)) == (600, 600, 3)
        assert all("page_info=" in call for call in made[1:])

    def test_a_wrong_token_is_refused(self, dial):
        with pytest.raises(UpstreamRefused) as caught:
            dial(admin_app(catalogue(1), token="t0ken"), "shopify", path=ADMIN).fetch(None)
        assert caught.value.status == 401

    def test_a_cursor_that_leads_to_another_host_is_refused(self, dial):
        app = canned(lambda _: Response('{"products": []}', headers={"Link": '<https://evil.example/x>; rel="next"'}))
        connector = dial(app, "shopify", path=ADMIN)
        (link,) = connector.fetch(None).upcoming
        with pytest.raises(UpstreamGarbled, match="another host"):
            connector.fetch(link)

    def test_cursors_that_go_round_in_a_circle_are_refused(self, dial):
        def answer(request):
            following = {"1": "2", "2": "1"}[request.args.get("page_info", "2")]
            return Response('{"products": []}', headers={"Link": f'<{ADMIN}/products.json?page_info={following}>; rel="next"'})

        with pytest.raises(CrawlIncomplete, match="repeats itself"):
            crawl(dial(canned(answer), "shopify", path=ADMIN))

    def test_the_products_page_is_the_shops_not_the_apis(self, dial):
        product = load(dial, path=ADMIN)
        assert product.url.endswith("/products/lamp")
        assert "/admin" not in product.url

    @pytest.mark.parametrize("status", ["draft", "archived"])
    def test_what_is_not_active_is_rejected(self, dial, status):
        connector = dial(
            admin_app(Records([RECORD | {"status": status}, RECORD | {"id": 2, "status": "active"}])), "shopify", path=ADMIN
        )
        products, rejected = load_all(connector, crawl(connector)[0])
        assert [product.source_id for product in products] == ["2"]
        assert rejected == {"10000000001": [("status", f"is {status!r}: not on sale")]}


class TestMapping:
    def test_a_product_without_a_choice_has_no_variants_but_their_sku(self, dial):
        product = load(dial)
        assert (product.id, product.name, product.description) == ("acme:10000000001", "Lamp", "Bright & warm")
        assert (product.brand, product.category, product.tags) == ("Luma", None, ("led", "desk"))
        assert (product.price, product.price_range, product.variants, product.sku) == (Money(1999, "EUR"), None, (), "L-1")
        assert (product.images, product.availability) == (("https://cdn.example/1.jpg",), Availability.IN_STOCK)
        assert product.updated_at == datetime(2024, 5, 5, 14, tzinfo=UTC)
        assert product.url.endswith("/products/lamp")

    def test_tags_may_be_one_comma_joined_text(self, dial):
        assert load(dial, tags="led, desk,").tags == ("led", "desk")

    def test_a_product_with_variants_costs_its_lowest_purchasable_price(self, dial):
        rows = variants(
            {"title": "S", "price": "10.00", "available": False},
            {"title": "M", "price": "30.00"},
            {"title": "L", "price": "20.00"},
        )
        product = load(dial, variants=rows)
        assert product.price == Money(2000, "EUR")
        assert product.price_range == PriceRange(Money(1000, "EUR"), Money(3000, "EUR"))
        assert [variant.name for variant in product.variants] == ["S", "M", "L"]
        assert product.sku is None

    def test_options_carry_their_names(self, dial):
        rows = variants({"title": "S / Red", "option1": "S", "option2": "Red", "option3": None}, {"title": "M", "option1": "M"})
        product = load(dial, variants=rows, options=[{"name": "Size"}, {"name": ""}])
        assert [variant.options for variant in product.variants] == [{"Size": "S", "Option 2": "Red"}, {"Size": "M"}]

    @pytest.mark.parametrize("options", [None, 5, "x", {}, [5]])
    def test_options_that_are_none_leave_the_variants(self, dial, options):
        assert len(load(dial, options=options, variants=variants({"title": "S"}, {"title": "M"})).variants) == 2

    def test_a_sku_may_be_null_on_every_variant(self, dial):
        product = load(dial, variants=variants({"title": "S", "sku": None}, {"title": "M", "sku": None}))
        assert [variant.sku for variant in product.variants] == [None, None]

    def test_the_barcode_of_an_only_variant_is_the_products(self, dial):
        proven = load(dial, variants=variants({"barcode": "4260488132709"}))
        assert (proven.gtin, proven.attributes) == ("04260488132709", {})
        doubtful = load(dial, variants=variants({"barcode": "123456"}))
        assert (doubtful.gtin, doubtful.attributes) == (None, {"barcode": "123456"})

    def test_barcodes_of_several_variants_stay_with_them(self, dial):
        product = load(dial, variants=variants({"title": "S", "barcode": "4260488132709"}, {"title": "M", "barcode": "x"}))
        assert (product.gtin, [variant.gtin for variant in product.variants]) == (None, ["04260488132709", None])

    @pytest.mark.parametrize(
        ("row", "availability"),
        [
            ({"available": True, "inventory_quantity": 0}, Availability.IN_STOCK),
            ({"available": False}, Availability.OUT_OF_STOCK),
            ({"available": None}, None),
            ({"available": None, "inventory_quantity": 3}, Availability.IN_STOCK),
            ({"available": None, "inventory_quantity": 0}, Availability.OUT_OF_STOCK),
            ({"available": None, "inventory_quantity": -2, "inventory_policy": "continue"}, Availability.BACK_ORDER),
            ({"available": None, "inventory_quantity": 0, "inventory_policy": "deny"}, Availability.OUT_OF_STOCK),
        ],
    )
    def test_a_variant_is_as_available_as_the_shop_or_its_stock_says(self, dial, row, availability):
        assert load(dial, variants=variants(row)).availability == availability

    @pytest.mark.parametrize(
        ("rows", "availability"),
        [
            ([False, True], Availability.IN_STOCK),
            ([False, False], Availability.OUT_OF_STOCK),
            ([None, None], None),
        ],
    )
    def test_a_product_is_as_available_as_its_easiest_variant(self, dial, rows, availability):
        assert load(dial, variants=variants(*({"available": word} for word in rows))).availability == availability

    def test_the_stock_is_that_of_all_variants_that_tell_theirs(self, dial):
        assert (
            load(
                dial, variants=variants({"inventory_quantity": 3}, {"inventory_quantity": None}, {"inventory_quantity": 4})
            ).stock
            == 7
        )
        assert load(dial).stock is None

    def test_a_product_without_a_handle_has_no_page(self, dial):
        assert load(dial, handle=None).url is None

    def test_a_price_finer_than_the_currency_names_the_variants(self, dial):
        connector = dial(storefront_app(Records([])), "shopify", currency="JPY")
        _, rejected = load_all(connector, [orjson.dumps(RECORD)])
        assert rejected == {"10000000001": [("variants.price", "has more decimal places than JPY has (0): 19.99")]}

    def test_a_product_without_variants_has_no_price(self, dial):
        connector = dial(storefront_app(Records([])), "shopify")
        _, rejected = load_all(connector, [orjson.dumps(RECORD | {"variants": []})])
        assert rejected == {"10000000001": [("price", "is missing or empty, and what has no price cannot be bought")]}

    def test_it_is_the_connector_of_both_apis(self, dial):
        assert isinstance(dial(storefront_app(Records([])), "shopify"), ShopifyConnector)


PAGE = {
    "id": 10_000_000_001,
    "title": "Lamp",
    "handle": "lamp",
    "description": "<p>Bright</p>",
    "vendor": "Luma",
    "type": "Lamps",
    "tags": ["led"],
    "images": ["//cdn.example/1.jpg", "https://cdn.example/2.jpg", 5],
    "options": ["Title"],
    "variants": [VARIANT | {"price": 1999, "compare_at_price": None, "inventory_quantity": 0}],
}


def paged(dial, record: object, **more: object):
    connector = dial(canned(lambda _: Response(orjson.dumps(record))), "shopify", **more)
    return connector, Wanted(str(RECORD["id"]), f"{connector.source.url}/products/lamp")


class TestStorefrontLook:
    def test_a_product_is_asked_for_by_its_page_and_reads_as_in_the_list(self, dial):
        rows = [RECORD, RECORD | {"id": 2, "handle": "لمبة", "variants": variants({"price": "0.07"}, {"title": "M"})}]
        connector = dial(storefront_app(Records(rows)), "shopify")
        listed = {product.source_id: product for product in load_all(connector, crawl(connector)[0])[0]}
        for source_id, product in listed.items():
            looked = connector.load(look(connector, Wanted(source_id, product.url))[source_id])
            assert (looked.price, looked.price_range, looked.availability) == (
                product.price,
                product.price_range,
                product.availability,
            )
            assert (looked.variants, looked.images) == (product.variants, product.images)
        assert connector.look_size == 1

    def test_a_product_that_is_gone_is_left_out(self, dial):
        connector = dial(storefront_app(Records([RECORD])), "shopify")
        assert look(connector, Wanted("1", f"{connector.source.url}/products/gone")) == {}

    def test_the_pages_names_and_hundredths_are_those_of_the_list(self, dial):
        connector, wanted = paged(dial, PAGE)
        product = connector.load(look(connector, wanted)[wanted.source_id])
        assert (product.description, product.brand, product.category) == ("Bright", "Luma", "Lamps")
        assert (product.price, product.stock, product.variants) == (Money(1999, "EUR"), None, ())
        assert product.images == ("https://cdn.example/1.jpg", "https://cdn.example/2.jpg")

    @pytest.mark.parametrize(
        ("currency", "price", "money"),
        [
            ("JPY", 150000, Money(1500, "JPY")),
            ("KWD", 1250, Money(12500, "KWD")),
            ("EUR", 7, Money(7, "EUR")),
            ("EUR", 0, Money(0, "EUR")),
            ("EUR", "19.99", Money(1999, "EUR")),
        ],
    )
    def test_hundredths_are_hundredths_whatever_the_currency(self, dial, currency, price, money):
        connector, wanted = paged(dial, PAGE | {"variants": [VARIANT | {"price": price}]}, currency=currency)
        assert connector.load(look(connector, wanted)[wanted.source_id]).price == money

    @pytest.mark.parametrize("changes", [{"variants": None}, {"variants": [5]}, {"variants": [VARIANT | {"price": -1}]}])
    def test_an_invalid_record_is_given_for_the_mapping_to_judge(self, dial, changes):
        connector, wanted = paged(dial, PAGE | changes | {"images": None, "options": None})
        with pytest.raises(RecordRejected):
            connector.load(look(connector, wanted)[wanted.source_id])

    @pytest.mark.parametrize("record", [PAGE | {"id": 5}, PAGE | {"id": None}, [], None, "x"])
    def test_an_answer_about_anything_else_is_garbled(self, dial, record):
        connector, wanted = paged(dial, record)
        with pytest.raises(UpstreamGarbled):
            look(connector, wanted)

    @pytest.mark.parametrize(
        "page",
        [None, "", "https://elsewhere.example/products/lamp", "{url}/pages/lamp", "{url}/products/..", "{url}/products/"],
    )
    def test_a_page_that_is_not_below_the_sources_url_is_not_asked_for(self, dial, page):
        asked = []
        connector = dial(canned(lambda request: asked.append(request.path) or Response(b"{}")), "shopify")
        with pytest.raises(UpstreamGarbled):
            look(connector, Wanted("1", page and page.replace("{url}", connector.source.url)))
        assert asked == []

    @pytest.mark.parametrize("handle", ["a/b", "a?b=1", "a#b", "a b", "لمبة"])
    def test_a_handle_stays_one_segment_of_the_path(self, dial, handle):
        asked = []
        app = canned(lambda request: asked.append((request.environ["REQUEST_URI"], request.args)) or Response(b"", 404))
        connector = dial(app, "shopify")
        assert look(connector, Wanted("1", f"{connector.source.url}/products/{handle}")) == {}
        ((path, query),) = asked
        assert path.startswith("/products/")
        assert (path.count("/"), path.endswith(".js"), len(query)) == (2, True, 0)

    @pytest.mark.parametrize("handle", ["../../admin", "%2e%2e%2fadmin"])
    def test_a_handle_that_would_climb_is_refused(self, dial, handle):
        connector = dial(canned(lambda _: Response(b"", 404)), "shopify")
        with pytest.raises(UpstreamGarbled, match="cannot be part of a URL"):
            look(connector, Wanted("1", f"{connector.source.url}/products/{handle}"))


class TestAdminLook:
    def test_many_ids_are_one_call(self, dial):
        connector = dial(admin_app(catalogue(150)), "shopify", path=ADMIN)
        found = look(connector, *map(str, range(60, 160)))
        assert (connector.look_size, set(found)) == (100, set(map(str, range(60, 151))))
        assert connector.load(found["60"]).price == Money(1999, "EUR")

    def test_an_id_that_is_no_number_is_nothing_the_shop_has(self, dial):
        asked = []
        connector = dial(canned(lambda request: asked.append(request) or Response(b"{}")), "shopify", path=ADMIN)
        assert (look(connector, "a/../b", "1,2"), asked) == ({}, [])

    def test_a_shop_that_does_not_know_the_parameter_is_garbled(self, dial):
        connector = dial(canned(lambda _: Response(orjson.dumps({"products": [RECORD]}))), "shopify", path=ADMIN)
        with pytest.raises(UpstreamGarbled, match="another product"):
            look(connector, "5")
