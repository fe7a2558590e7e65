"""The FakeStore dialect: arrays without an envelope and without pages."""

import pytest

from sample.dialects import fakestore_app
from sample.records import Records
from test.sample.conftest import Get, Serve


@pytest.fixture
def get(serve: Serve) -> Get:
    """Return a GET to a shop of 20 products."""
    return serve(fakestore_app(Records({"id": number, "category": "men's wear"} for number in range(1, 21))))


@pytest.mark.parametrize(("query", "count"), [("", 20), ("limit=5", 5), ("limit=0", 20), ("limit=abc", 20), ("limit=99", 20)])
def test_the_limit_is_the_only_way_to_get_less(get: Get, query: str, count: int) -> None:
    assert len(get(f"/products?{query}").json()) == count


def test_pages_are_ignored(get: Get) -> None:
    assert get("/products?limit=2&page=3&skip=4").json()[0]["id"] == 1


def test_the_order_can_be_turned(get: Get) -> None:
    assert [product["id"] for product in get("/products?sort=desc&limit=2").json()] == [20, 19]


def test_an_unknown_product_is_null_and_an_unknown_category_empty(get: Get) -> None:
    response = get("/products/999")
    assert (response.status_code, response.content) == (200, b"null")
    assert get("/products/category/nothing").json() == []
    assert len(get("/products/category/men's%20wear").json()) == 20
    assert get("/products/categories").json() == ["men's wear"]
