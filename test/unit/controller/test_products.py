from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from main.app import create_app
from main.controller.documents import PRODUCT_FIELDS
from main.service.model import SORTS
from main.util.clock import isoformat
from test.fakes import FakeClock, MemoryCatalogue, make_product, put_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from main.settings import Settings

ODD_IDS = [
    "a/b",
    "a//b",
    "/a",
    "a/",
    "50%",
    "%2F",
    "ü ñ 灯",
    "a?b#c",
    "a+b&c=d",
    "..",
    "../../etc/passwd",
    "quarantine",
    "a:b:c",
    '"<x>"',
    "😀",
]


@pytest.fixture
def every(fetch: Callable[..., Any]) -> list[dict[str, Any]]:
    """Every product of the three demo shops."""
    return fetch("/products", per_page=100)["data"]


def test_all_sellable_products_of_all_shops_are_listed(fetch: Callable[..., Any]):
    page = fetch("/products", facets="source")
    assert page["total"] == 56
    assert {bucket["value"]: bucket["count"] for bucket in page["facets"]["source"]} == {"lumen": 21, "depot": 18, "parts": 17}
    assert (page["page"], page["per_page"], page["pages"], len(page["data"])) == (1, 30, 2, 30)
    assert page["meta"]["complete"] is True
    assert {name: source["rejected"] for name, source in page["meta"]["sources"].items()} == {
        "lumen": 1,
        "depot": 2,
        "parts": 3,
    }
    assert {source["state"] for source in page["meta"]["sources"].values()} == {"fresh"}


def test_the_total_stands_in_a_header_too(client: FlaskClient):
    assert client.get("/products?q=lamp&per_page=1").headers["X-Total-Count"] == str(
        client.get("/products?q=lamp").json["total"]
    )


def test_a_page_past_the_end_is_empty_and_says_how_many_there_are(fetch: Callable[..., Any]):
    page = fetch("/products", page=100000, per_page=1)
    assert (page["data"], page["total"], page["page"], page["pages"]) == ([], 56, 100000, 56)


@pytest.mark.parametrize(
    ("parameters", "holds"),
    [
        ({"source": "depot"}, lambda product: product["source"] == "depot"),
        ({"source": ["depot", "parts"]}, lambda product: product["source"] in {"depot", "parts"}),
        ({"brand": "Boltarra"}, lambda product: product.get("brand", "").lower() == "boltarra"),
        ({"category": "Tools"}, lambda product: product.get("category") == "Tools"),
        ({"currency": "USD"}, lambda product: product["price"]["currency"] == "USD"),
        ({"min_price": "20", "max_price": "50"}, lambda product: 20 <= float(product["price"]["amount"]) <= 50),
        ({"availability": "outofstock"}, lambda product: product.get("availability") == "OutOfStock"),
        ({"gtin": "9520417000130"}, lambda product: product.get("gtin") == "09520417000130"),
        ({"source": "depot", "availability": "InStock"}, lambda product: product["source"] == "depot" and product.get("availability") == "InStock"),
    ],
    ids=str,
)  # fmt: skip
def test_filters_keep_exactly_what_fits(
    fetch: Callable[..., Any], every: list[dict[str, Any]], parameters: dict[str, Any], holds: Callable[[dict[str, Any]], bool]
):
    wanted = {product["id"] for product in every if holds(product)}
    page = fetch("/products", per_page=100, **parameters)
    assert {product["id"] for product in page["data"]} == wanted
    assert 0 < page["total"] == len(wanted) < len(every)


def test_words_are_found_in_names_and_brands(fetch: Callable[..., Any]):
    for word, text in (("lamp", "lamp"), ("boltarra", "boltarra"), ("lam*", "lam"), ('"allen key"', "allen key")):
        found = fetch("/products", q=word, per_page=100)["data"]
        assert found
        assert all(text in repr(product).lower() for product in found)


@pytest.mark.parametrize("text", ['lamp" OR "desk', "name:lamp AND x", "NEAR(lamp desk)", "-lamp", "lamp)", '"', "lamp' --", "*lamp", "^lamp", "{lamp}:x", "\ud83d\ude00 lamp"])  # fmt: skip
def test_a_word_is_never_read_as_an_order_to_the_search(client: FlaskClient, text: str):
    answer = client.get("/products", query_string={"q": text.encode("utf-16", "surrogatepass").decode("utf-16")})
    assert answer.status_code == (422 if text == '"' else 200)


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_is_stable_over_the_pages(fetch: Callable[..., Any], sort: str):
    whole = [product["id"] for product in fetch("/products", sort=sort, per_page=100)["data"]]
    pages = [product["id"] for page in range(1, 9) for product in fetch("/products", sort=sort, per_page=7, page=page)["data"]]
    assert whole == pages
    assert len(set(whole)) == 56


def test_prices_are_sorted_both_ways(fetch: Callable[..., Any]):
    rising, falling = (
        [float(product["price"]["amount"]) for product in fetch("/products", sort=sort, per_page=100)["data"]]
        for sort in ("price", "-price")
    )
    assert rising == sorted(rising)
    assert falling == sorted(rising, reverse=True)


def test_only_the_wanted_fields_are_sent_and_always_the_id(fetch: Callable[..., Any]):
    for wanted in ("name,price", ["price", "NAME"]):
        for product in fetch("/products", fields=wanted)["data"]:
            assert set(product) == {"id", "name", "price"}
    assert all(set(product) == {"id"} for product in fetch("/products", fields="id")["data"])


@pytest.mark.parametrize("name", ["fields", "facets", "availability"])
@pytest.mark.parametrize("value", ["", ",", " , "])
def test_a_list_of_nothing_is_refused_and_not_taken_for_none(client: FlaskClient, name: str, value: str):
    answer = client.get("/products", query_string={name: value})
    assert answer.status_code == 422
    assert answer.json["errors"][name][0].startswith("must be of: ")


def test_facets_count_the_whole_result_and_not_the_page(fetch: Callable[..., Any], every: list[dict[str, Any]]):
    page = fetch("/products", facets="brand,category,source,availability,price", per_page=1)
    assert set(page["facets"]) == {"brand", "category", "source", "availability", "price"}
    for facet in ("source", "availability", "price"):
        assert sum(bucket["count"] for bucket in page["facets"][facet]) == len(every)
    within = fetch("/products", facets="source", q="lamp", per_page=1)
    assert sum(bucket["count"] for bucket in within["facets"]["source"]) == within["total"] < len(every)
    assert fetch("/products")["facets"] == {}


def test_a_price_band_holds_what_its_filter_finds(fetch: Callable[..., Any]):
    bands = [band for band in fetch("/products", facets="price")["facets"]["price"] if "below" in band]
    assert len(bands) >= 3
    for band in bands:
        below = f"{int(band['below']) - 1}.9999"
        found = fetch("/products", currency=band["currency"], min_price=band["min"], max_price=below)
        assert found["total"] == band["count"]


BAD = {
    "q": (
        ["x" * 201, "!!!", "\x00", "😀", "l*", "desk-l*", "de* lam*", "desk* lamp* oaken* bed*"],
        [
            "200 characters",
            "letter or a digit",
            "2 letters or digits before each *",
            "where there are 2, not de*",
            "at most 3 prefixes",
        ],
    ),
    "source": (["nobody", "", "x" * 201, "\x00"], ["lumen, depot, parts", "1 to 200 characters"]),
    "brand": (["", " ", "x" * 201, "a\nb", "\x00"], ["1 to 200 characters"]),
    "category": (["", "x" * 201], ["1 to 200 characters"]),
    "gtin": (["1", "x", "4006381333931x", "9" * 30], ["8, 12, 13 or 14 digits"]),
    "min_price": (["-1", "x", "", "NaN", "Infinity", "1e400", "9" * 30, "\x00"], ["such as 19.99"]),
    "max_price": (["-1", "x", "", "nan", "-Infinity", "9" * 30], ["such as 19.99"]),
    "currency": (["eur", "EURO", "", "\x00"], ["EUR"]),
    "availability": (["gone", "instock,gone"], ["InStock"]),
    "min_rating": (["-1", "6", "NaN", "Infinity", "1e999", "", "x", "9" * 30], ["from 0 to 5"]),
    "sort": (["up", "", "PRICE", "\x00"], [", ".join(SORTS)]),
    "page": (["0", "-1", "1.0", "x", "", "100001", "9" * 30, "9" * 5000, "NaN", "٣"], ["from 1 to 100000"]),
    "per_page": (["0", "101", "9" * 30, "x"], ["from 1 to 100"]),
    "fields": (["nothing", "name,nothing", "\x00"], ["fetched_at"]),
    "facets": (["stock", "price,stock"], ["brand, category, source, availability, price"]),
}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [(name, value, allowed) for name, (values, allowed) in BAD.items() for value in values],
    ids=lambda part: str(part)[:20],
)
def test_a_wrong_value_is_refused_by_name_with_what_is_allowed(client: FlaskClient, name: str, value: str, allowed: list[str]):
    answer = client.get("/products", query_string={name: value})
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [name]
    assert any(words in message for words in allowed for message in answer.json["errors"][name])


def test_the_lowest_price_must_not_be_above_the_highest(client: FlaskClient):
    answer = client.get("/products?min_price=10&max_price=9.99")
    assert (answer.status_code, answer.json["errors"]) == (422, {"min_price": ["must not be above max_price"]})


@pytest.mark.parametrize("text", ["%ED%A0%80", "%ff", "%C0%AF"])
def test_bytes_that_are_no_text_find_nothing(client: FlaskClient, text: str):
    assert client.get(f"/products?q={text}").json["total"] == client.get(f"/products?brand={text}").json["total"] == 0


def test_one_product_is_what_the_list_shows(fetch: Callable[..., Any], every: list[dict[str, Any]]):
    for product in every:
        assert fetch(f"/products/{quote(product['id'], safe='')}") == product


def test_one_product_can_be_asked_for_in_part(fetch: Callable[..., Any]):
    assert fetch("/products/depot:4101", fields="name") == {"id": "depot:4101", "name": fetch("/products/depot:4101")["name"]}
    assert set(fetch("/products/lumen:7800100000002")) <= set(PRODUCT_FIELDS)
    assert len(fetch("/products/lumen:7800100000002")["variants"]) == 28


@pytest.mark.parametrize("safe", ["", "/"], ids=["escaped", "with-slashes"])
@pytest.mark.parametrize("source_id", ODD_IDS)
def test_a_product_is_found_whatever_its_id_is_made_of(settings: Settings, source_id: str, safe: str):
    store = MemoryCatalogue()
    put_snapshot(store, "lumen", [make_product(source_id, "lumen")])
    client = create_app(settings, reader=store, clock=FakeClock()).test_client()
    answer = client.get(f"/products/{quote(f'lumen:{source_id}', safe=safe)}")
    assert (answer.status_code, answer.json["id"]) == (200, f"lumen:{source_id}")


def test_a_product_that_left_the_catalogue_is_gone_and_its_address_says_since_when(settings: Settings):
    store, clock = MemoryCatalogue(), FakeClock()
    put_snapshot(store, "lumen", [make_product(1, "lumen")])
    store.retain([], clock.now())
    answer = create_app(settings, reader=store, clock=clock).test_client().get("/products/lumen:1?live=true")
    assert answer.status_code == 410
    assert answer.mimetype == "application/problem+json"
    assert (answer.json["title"], answer.json["deleted_at"], answer.json["version"]) == ("Gone", isoformat(clock.now()), 2)
    assert "left the catalogue at" in answer.json["detail"]


def test_an_unknown_field_of_a_product_is_refused(client: FlaskClient):
    assert list(client.get("/products/depot:4101?fields=colour").json["errors"]) == ["fields"]
    assert list(client.get("/products/depot:4101?q=lamp").json["errors"]) == ["q"]


@pytest.mark.parametrize(
    "path",
    [
        "/products",
        "/products?q=lamp&facets=brand",
        "/products/depot:4101",
        "/products/nobody",
        "/products?page=0",
        "/sources/parts/quarantine",  # not /sources: an age that gains a digit between the two makes them differ
        "/",
    ],
)
def test_head_gives_the_headers_of_get_and_no_body(client: FlaskClient, path: str):
    get, head = client.get(path), client.head(path)
    ours = {"X-Request-ID"}  # each request has its own
    assert head.status_code == get.status_code
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(get.data))
    assert {k: v for k, v in head.headers.items() if k not in ours} == {k: v for k, v in get.headers.items() if k not in ours}


def test_answers_are_never_kept_by_anyone_between(client: FlaskClient):
    assert client.get("/products").headers["Cache-Control"] == "private, no-cache"
    assert client.get("/sources").headers["Cache-Control"] == "no-store"
