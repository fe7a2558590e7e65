"""The DummyJSON dialect pages and errs as the live API does."""

from typing import Any

import pytest

from sample.dialects import dummyjson_app
from sample.records import Records
from test.sample.conftest import Get, Serve

TITLES = ["Lamp", "Rug", "Pen", "Mug"]


@pytest.fixture
def get(serve: Serve) -> Get:
    """Return a GET to a shop of 64 products."""
    products: list[dict[str, Any]] = [
        {"id": number, "title": f"{TITLES[number % 4]} {number}", "category": "home", "price": 100 - number}
        for number in range(1, 65)
    ]
    return serve(dummyjson_app(Records(products)))


def test_a_page_has_thirty_products_unless_asked(get: Get) -> None:
    body = get("/products").json()
    assert list(body) == ["products", "total", "skip", "limit"]
    assert [product["id"] for product in body["products"]] == list(range(1, 31))
    assert (body["total"], body["skip"], body["limit"]) == (64, 0, 30)


@pytest.mark.parametrize(
    ("query", "count", "skip"),
    [
        ("limit=0", 64, 0),
        ("limit=30&skip=60", 4, 60),
        ("skip=64", 0, 64),
        ("limit=0&skip=60", 4, 60),
        ("limit=", 0, 0),
        ("skip=&limit=5", 5, None),
        ("limit=-5", 59, 0),
        ("limit=1e3", 1, 0),
        ("limit=10.9", 10, 0),
        ("skip=-3&limit=2", 2, -3),
        ("limit=9999", 64, 0),
    ],
)
def test_the_echoed_limit_is_the_number_of_products_returned(get: Get, query: str, count: int, skip: int | None) -> None:
    body = get(f"/products?{query}").json()
    assert (len(body["products"]), body["limit"], body["skip"], body["total"]) == (count, count, skip, 64)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=abc", "Invalid 'limit' - must be a number"),
        ("skip=abc", "Invalid 'skip' - must be a number"),
        ("limit=1&limit=2", "Invalid 'limit' - must be a number"),
        ("sortBy=title&order=up", "Order can be: 'asc' or 'desc'"),
        ("delay=6000", "Delay cannot be greater than 5 seconds"),
    ],
)
def test_a_bad_query_is_refused_with_a_message(get: Get, query: str, message: str) -> None:
    response = get(f"/products?{query}")
    assert (response.status_code, response.json()) == (400, {"message": message})


def test_select_keeps_the_named_fields_and_the_id(get: Get) -> None:
    assert get("/products?select=title,nothing&limit=1").json()["products"] == [{"id": 1, "title": "Rug 1"}]


@pytest.mark.parametrize("key", ["9999", "abc", "01"])
def test_an_unknown_id_is_a_404_with_a_message(get: Get, key: str) -> None:
    response = get(f"/products/{key}")
    assert (response.status_code, response.json()) == (404, {"message": f"Product with id '{key}' not found"})


def test_a_known_id_is_the_bare_product(get: Get) -> None:
    assert get("/products/2").json()["title"] == "Pen 2"


def test_a_search_and_a_category_have_their_own_total(get: Get) -> None:
    assert get("/products/search?q=LAMP").json()["total"] == 16
    assert get("/products/category/home").json()["total"] == 64
    assert get("/products/category/no-such").json() == {"products": [], "total": 0, "skip": 0, "limit": 0}
    assert get("/products/category-list").json() == ["home"]


def test_products_come_in_the_asked_order(get: Get) -> None:
    assert get("/products?sortBy=price&order=asc&limit=1").json()["products"][0]["id"] == 64
    assert get("/products?sortBy=nothing&limit=1").json()["products"][0]["id"] == 1


def test_an_unknown_path_is_html_and_a_trailing_slash_redirects(get: Get) -> None:
    assert (get("/nothing").status_code, get("/nothing").headers["Content-Type"][:9]) == (404, "text/html")
    assert (get("/products/?limit=1").status_code, get("/products/?limit=1").headers["Location"]) == (301, "/products?limit=1")
