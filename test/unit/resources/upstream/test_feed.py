"""Kind feed: a whole catalogue in one file, at a URL or a path."""

import gzip
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import orjson
import pytest
from werkzeug import Response

from main.resources.upstream import feed
from main.resources.upstream.breaker import FAILURES_IN_ROW
from main.resources.upstream.kinds import connect
from main.service.errors import UpstreamGarbled, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from main.service.model import Availability, Money, Rating
from main.util.clock import SystemClock
from sample.dialects import file_app
from test.unit.resources.upstream.conftest import A_SOURCE
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

CSV = b"id,name,price\n1,Lamp,19.99\n2,Chair,5\n"
ROW = {
    "id": "L-1",
    "title": "Lamp &amp; shade",
    "description": "<p>Bright</p>",
    "brand": "Luma",
    "product_type": "Lamps",
    "price": "19.99 EUR",
    "availability": "in_stock",
    "quantity": "7",
    "rating": "4.5",
    "review_count": "2",
    "gtin": "4260488132709",
    "mpn": "M-1",
    "link": "https://a.example/1",
    "image_link": "https://a.example/1.jpg",
    "tags": "led, desk",
    "updated": "2026-01-02T03:04:05Z",
}


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a feed and gives its connector."""

    def write(body: bytes, name: str = "feed.csv", **more: object):
        (tmp_path / name).write_bytes(body)
        return connect_to((tmp_path / name).as_uri(), **more)

    return write


def connect_to(url: str, **more: object):
    return connect(replace(A_SOURCE, kind="feed", url=url, **more), SystemClock())


def load(*, columns: dict | None = None, **changes: object):
    return connect_to("http://127.0.0.1:9", columns=columns or {}, currency="USD").load(orjson.dumps(ROW | changes))


def rejected(*, columns: dict | None = None, **changes: object) -> list[tuple[str, str]]:
    connector = connect_to("http://127.0.0.1:9", columns=columns or {}, currency="USD")
    return load_all(connector, [orjson.dumps(ROW | changes)])[1]["L-1"]


class TestTheFile:
    @pytest.mark.parametrize("name", ["feed.csv", "feed.csv.gz"])
    def test_it_is_read_from_a_url_plain_or_as_gzip(self, dial, tmp_path, name):
        path = tmp_path / "feed.csv"
        path.write_bytes(CSV)
        connector = dial(file_app({"feed.csv": path}), "feed", path=f"/{name}")
        records, made = crawl(connector)
        products, rejected = load_all(connector, records)
        assert ([product.name for product in products], rejected, made) == (["Lamp", "Chair"], {}, [None])

    def test_it_is_read_from_a_path_with_blanks(self, file):
        connector = file(CSV, "my feed ü.csv")
        assert len(load_all(connector, crawl(connector)[0])[0]) == 2

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("feed.tsv", b"id\tname\tprice\n1\tLamp\t19.99\n"),
            ("feed.json", b'[{"id": 1, "name": "Lamp", "price": 19.99}]'),
            ("feed.ndjson", b'{"id": 1, "name": "Lamp", "price": 19.99}\n'),
            ("feed.xml", b"<rss><item><id>1</id><title>Lamp</title><price>19.99 EUR</price></item></rss>"),
            ("feed.csv", b"\xef\xbb\xbfid;name;price\n1;Lamp;19.99\n"),
        ],
    )
    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_every_format_gives_the_same_product(self, file, name, body, pack):
        connector = file(pack(body), name)
        ((product,), _) = load_all(connector, crawl(connector)[0])
        assert (product.id, product.name, product.price) == ("acme:1", "Lamp", Money(1999, "EUR"))

    def test_the_type_of_the_answer_tells_the_format_where_the_url_does_not(self, dial):
        connector = dial(canned(lambda _: Response(CSV, content_type="text/csv")), "feed", path="/export?key=1")
        assert len(crawl(connector)[0]) == 2

    def test_the_settings_tell_the_format_where_nothing_else_does(self, dial, file):
        app = canned(lambda _: Response(CSV, content_type="text/html"))
        assert len(crawl(dial(app, "feed", path="/export.php", format="csv"))[0]) == 2
        assert len(crawl(file(b'{"id": 1}\n{"id": 2}', "feed.json", format="ndjson"))[0]) == 2

    def test_without_any_sign_of_the_format_it_asks_for_one(self, file):
        with pytest.raises(UpstreamGarbled, match="name it under format"):
            file(CSV, "feed").fetch(None)

    @pytest.mark.parametrize("form", ["csv", "tsv", "json", "ndjson", "xml"])
    def test_a_html_page_is_never_taken_for_a_feed(self, dial, form):
        connector = dial(
            canned(lambda _: Response("<!DOCTYPE html>\n<title>Down</title>\nwe are back soon")), "feed", format=form
        )
        with pytest.raises(UpstreamGarbled, match="HTML page"):
            tuple(connector.fetch(None).records)

    def test_a_file_that_is_not_there_is_unreachable(self, tmp_path):
        with pytest.raises(UpstreamUnreachable, match="cannot be read: No such file or directory"):
            connect_to((tmp_path / "none.csv").as_uri()).fetch(None)

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(UpstreamUnreachable, match="Is a directory"):
            connect_to(tmp_path.as_uri(), format="csv").fetch(None)

    def test_a_url_that_is_not_there_is_refused(self, dial):
        with pytest.raises(UpstreamRefused, match="404"):
            dial(file_app({}), "feed", path="/none.csv").fetch(None)

    def test_a_file_larger_than_the_limit_is_garbled(self, file, monkeypatch):
        monkeypatch.setattr(feed, "MAX_FEED", 2**20)  # the real limit is a gigabyte
        with pytest.raises(UpstreamGarbled, match="larger than 1 MiB"):
            file(b" " * (2**20 + 1)).fetch(None)
        with pytest.raises(UpstreamGarbled, match="larger than 1 MiB when decompressed"):
            file(gzip.compress(random.Random(1).randbytes(2**14) * 65)).fetch(None)

    def test_truncated_gzip_is_garbled(self, file):
        with pytest.raises(UpstreamGarbled, match="cut off"):
            file(gzip.compress(CSV * 100)[:-12], "feed.csv.gz").fetch(None)


class TestMapping:
    def test_each_column_of_googles_specification_finds_its_place(self):
        product = load()
        assert (product.id, product.name, product.description) == ("acme:L-1", "Lamp & shade", "Bright")
        assert (product.brand, product.category, product.tags) == ("Luma", "Lamps", ("led", "desk"))
        assert (product.price, product.availability, product.stock) == (Money(1999, "EUR"), Availability.IN_STOCK, 7)
        assert (product.rating, product.gtin, product.sku) == (Rating(4.5, 2), "04260488132709", "M-1")
        assert (product.url, product.images) == ("https://a.example/1", ("https://a.example/1.jpg",))
        assert product.updated_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("price", "more", "money"),
        [
            ("19.99 EUR", {}, Money(1999, "EUR")),
            (" 19.99  EUR ", {}, Money(1999, "EUR")),
            ("1500 JPY", {"currency": "EUR"}, Money(1500, "JPY")),
            ("19.99", {"currency": "EUR"}, Money(1999, "EUR")),
            ("19.99", {}, Money(1999, "USD")),
            ("19.99", {"currency": ""}, Money(1999, "USD")),
            (20, {}, Money(2000, "USD")),
        ],
    )
    def test_a_price_may_carry_its_currency(self, price, more, money):
        assert load(price=price, **more).price == money

    @pytest.mark.parametrize("price", ["19,99", "EUR 19.99", "19.99 eur", "€19.99", "1.999,00 EUR", " EUR", "free"])
    def test_any_other_price_is_rejected(self, price):
        ((field, reason),) = rejected(price=price)
        assert (field, reason.partition(":")[0]) == ("price", "is not an amount")

    @pytest.mark.parametrize("price", ["", "  ", None])
    def test_an_empty_price_goes_to_quarantine_with_its_reason(self, price):
        assert rejected(price=price) == [("price", "is missing or empty, and what has no price cannot be bought")]

    @pytest.mark.parametrize("code", ["usd", "€", "DOLLAR", "SAA"])
    def test_a_currency_that_is_none_is_rejected(self, code):
        record = orjson.dumps(ROW | {"price": "5", "currency": code})
        assert load_all(connect_to("http://127.0.0.1:9"), [record])[1] == {
            "L-1": [("currency", f"is not an ISO 4217 code such as EUR: {code!r}")]
        }

    @pytest.mark.parametrize("column", ["id", "sku", "product_id"])
    def test_the_id_may_stand_under_another_name(self, column):
        bare = {key: value for key, value in ROW.items() if key not in {"id", "mpn"}}
        assert connect_to("http://127.0.0.1:9").load(orjson.dumps(bare | {column: "X"})).source_id == "X"

    def test_the_settings_name_other_columns(self):
        product = load(
            columns={"id": "code", "name": "bez", "price": "vk", "images": "bilder"},
            code="C",
            bez="B",
            vk="7 EUR",
            bilder="https://a/1, https://a/2",
        )
        assert (product.source_id, product.name, product.price, product.images) == (
            "C",
            "B",
            Money(700, "EUR"),
            ("https://a/1", "https://a/2"),
        )

    def test_a_column_named_in_the_settings_has_no_stand_in(self):
        assert rejected(columns={"name": "bez"}) == [("name", "is missing")]

    @pytest.mark.parametrize(
        ("main", "more", "images"),
        [
            ("https://a/1", "https://a/2", ("https://a/1", "https://a/2")),
            ("https://a/1", ["https://a/2", "https://a/3"], ("https://a/1", "https://a/2", "https://a/3")),
            ("https://a/1", "https://a/2,https://a/3", ("https://a/1", "https://a/2", "https://a/3")),
            ("https://a/1,https://a/2", "https://a/3", ("https://a/1", "https://a/2", "https://a/3")),
            ("", "https://a/2", ("https://a/2",)),
            ("https://a/1", "https://a/1", ("https://a/1",)),
            ("https://a/1", 5, ("https://a/1",)),
            ("https://a/1", "", ("https://a/1",)),
        ],
    )
    def test_additional_images_follow_the_main_one(self, main, more, images):
        assert load(image_link=main, additional_image_link=more).images == images

    @pytest.mark.parametrize(
        ("text", "availability"),
        [
            ("in stock", Availability.IN_STOCK),
            ("In-Stock", Availability.IN_STOCK),
            ("https://schema.org/OutOfStock", Availability.OUT_OF_STOCK),
            ("preorder", Availability.PRE_ORDER),
            ("backorder", Availability.BACK_ORDER),
            ("sold out", Availability.SOLD_OUT),
            ("available", Availability.IN_STOCK),
            ("tomorrow", None),
            ("", None),
        ],
    )
    def test_availability_is_read_as_google_and_schema_org_write_it(self, text, availability):
        assert load(availability=text).availability == availability

    def test_a_barcode_that_proves_nothing_is_an_attribute(self):
        product = load(gtin="123")
        assert (product.gtin, product.attributes) == (None, {"barcode": "123"})

    def test_a_row_with_more_cells_than_the_header_is_rejected_with_its_id(self, file):
        connector = file(b"id,name,price\n1,Lamp,1,9\n2,Chair,5\n3\n")
        products, faults = load_all(connector, crawl(connector)[0])
        assert [product.source_id for product in products] == ["2"]
        assert faults["1"] == [("record", "has more cells than the header has columns")]
        assert ("name", "is missing") in faults["3"]

    @pytest.mark.parametrize(("found", "kept"), [("x" * 300, "x" * 200), ("", None), (None, None)])
    def test_a_rejected_row_keeps_its_id(self, found, kept):
        connector = connect_to("http://127.0.0.1:9")
        assert list(load_all(connector, [orjson.dumps({"id": found})])[1]) == [kept]


class TestLook:
    def test_the_whole_file_is_read_and_the_wanted_rows_are_given(self, file):
        connector = file(CSV + b"2,Twin,6\n,Nameless,7\n")
        found = look(connector, "2", "3", "")
        assert (connector.look_size, list(found)) == (1000, ["2"])
        assert connector.load(found["2"]).price == Money(500, "EUR")

    def test_a_feed_of_the_web_is_asked_for_within_the_deadline(self, serve):
        connector = connect_to(serve(canned(lambda _: Response(CSV, content_type="text/csv"))))
        assert list(look(connector, "1")) == ["1"]
        with pytest.raises(UpstreamTimeout):
            look(connector, "1", seconds=-1)
        connector.close()

    def test_reading_ends_with_the_deadline(self, file):
        with pytest.raises(UpstreamTimeout, match="too long"):
            look(file(CSV), "2", seconds=-1)

    @pytest.mark.parametrize(("max_body", "limit"), [(8 * 2**20, "4 MiB"), (2**20, "1 MiB")])
    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_a_look_takes_less_than_a_sync_because_it_shares_a_worker(self, file, pack, max_body, limit):
        block = random.Random(1).randbytes(2**14).hex().encode()
        connector = file(pack(b"id,name\n" + (b"1," + block + b"\n") * 129), max_body=max_body)
        assert len(crawl(connector)[0]) == 129
        with pytest.raises(UpstreamGarbled, match=f"larger than {limit}"):
            look(connector, "1")

    def test_a_bomb_is_defused_within_the_deadline(self, serve):
        bomb = gzip.compress(b"a" * 200 * 2**20)
        connector = connect_to(serve(canned(lambda _: Response(bomb, content_type="text/csv"))))
        with pytest.raises(UpstreamGarbled, match="grows more than 200 times"):
            look(connector, "1")
        connector.close()

    def test_decompressing_ends_with_the_deadline(self, file):
        with pytest.raises(UpstreamTimeout, match="too long"):
            look(file(gzip.compress(CSV)), "2", seconds=-1)

    def test_what_a_look_cannot_read_is_left_to_syncs_for_a_while(self, serve, monkeypatch):
        asked = []

        def shop(_):
            asked.append(time.monotonic())
            return Response(CSV + b"3,Rug,7\n" * 2**20, content_type="text/csv")

        connector = connect_to(serve(canned(shop)))
        for _ in range(2 * FAILURES_IN_ROW):
            with pytest.raises(UpstreamGarbled, match="larger than 4 MiB"):
                look(connector, "1")
        assert (len(asked), connector.find_hold()) == (1, None)
        later = asked[0] + connector.source.every.total_seconds() + 60
        monkeypatch.setattr(feed, "time", SimpleNamespace(monotonic=lambda: later))
        with pytest.raises(UpstreamGarbled, match="larger than 4 MiB"):
            look(connector, "1")
        assert len(asked) == 2
        connector.close()

    @pytest.mark.parametrize("source_id", ["a/../b", "?x=1", "نص", "a,b", "#"])
    def test_an_id_may_hold_anything(self, file, source_id):
        body = orjson.dumps([{"sku": source_id, "title": "Lamp", "price": "1.00"}])
        assert list(look(file(body, "feed.json"), source_id)) == [source_id]

    def test_the_id_is_in_the_column_of_the_settings(self, file):
        assert list(look(file(b"id,code,name,price\n1,A,Lamp,1\n", columns={"id": "code"}), "A", "1")) == ["A"]
