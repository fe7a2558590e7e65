"""The WooCommerce dialects: REST v3 with its variations and keys, and the public Store API."""

import pytest

from sample.dialects import Credentials, store_api_app, woocommerce_app
from sample.records import Records
from test.sample.conftest import Get, Serve

LIST = "/wp-json/wc/v3/products"
PRODUCTS = Records({"id": number, "status": "private" if number == 3 else "publish"} for number in range(1, 26))
VARIATIONS = {"7": Records({"id": number} for number in range(701, 713))}


@pytest.fixture
def get(serve: Serve) -> Get:
    """Return a GET to an open shop of 25 products."""
    return serve(woocommerce_app(PRODUCTS, VARIATIONS))


def test_a_page_has_ten_products_and_totals_in_its_headers(get: Get) -> None:
    response = get(LIST)
    assert len(response.json()) == 10
    assert (response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"]) == ("25", "3")


@pytest.mark.parametrize(
    ("page", "relations"),
    [
        (1, ["first", "next", "last"]),
        (2, ["first", "prev", "next", "last"]),
        (3, ["first", "prev", "last"]),
        (9, ["first", "prev", "last"]),
    ],
)
def test_links_name_the_neighbours_that_exist(get: Get, page: int, relations: list[str]) -> None:
    assert list(get(f"{LIST}?page={page}").links) == relations


def test_links_keep_the_rest_of_the_query_and_can_be_followed(get: Get) -> None:
    url = get(f"{LIST}?per_page=20&status=any").links["next"]["url"]
    assert url.endswith(f"{LIST}?per_page=20&status=any&page=2")
    assert len(get(LIST + "?" + url.partition("?")[2]).json()) == 5


def test_a_page_past_the_end_is_empty(get: Get) -> None:
    response = get(f"{LIST}?page=9")
    assert (response.status_code, response.json(), response.headers["X-WP-Total"]) == (200, [], "25")


@pytest.mark.parametrize("query", ["per_page=101", "per_page=0", "per_page=x", "per_page=", "page=0", "page=-1", "per_page=²"])
def test_a_number_out_of_bounds_is_refused(get: Get, query: str) -> None:
    response = get(f"{LIST}?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "rest_invalid_param")


def test_a_hundred_per_page_is_still_allowed(get: Get) -> None:
    response = get(f"{LIST}?per_page=100")
    assert len(response.json()) == 25
    assert "Link" not in response.headers


def test_filters_narrow_the_list_and_its_totals(get: Get) -> None:
    assert [product["id"] for product in get(f"{LIST}?include=2,3,99").json()] == [2, 3]
    response = get(f"{LIST}?status=private")
    assert (response.json()[0]["id"], response.headers["X-WP-Total"]) == (3, "1")
    assert get(f"{LIST}?offset=24").json() == [{"id": 25, "status": "publish"}]


def test_only_what_was_modified_later_is_listed(serve: Serve) -> None:
    dates = ("2026-01-01T00:00:00", "2026-02-01T00:00:00")
    get = serve(woocommerce_app(Records({"id": number, "date_modified_gmt": date} for number, date in enumerate(dates))))
    assert [product["id"] for product in get(f"{LIST}?modified_after=2026-01-01T00:00:00Z").json()] == [1]


def test_variations_have_their_own_pages(get: Get) -> None:
    response = get(f"{LIST}/7/variations?page=2")
    assert ([child["id"] for child in response.json()], response.headers["X-WP-Total"]) == ([711, 712], "12")
    assert get(f"{LIST}/8/variations").json() == []
    assert get(f"{LIST}/7/variations/702").json() == {"id": 702}


@pytest.mark.parametrize("path", ["99", "abc", "99/variations", "8/variations/702", "7/variations/1"])
def test_an_unknown_id_is_a_404(get: Get, path: str) -> None:
    response = get(f"{LIST}/{path}")
    assert (response.status_code, response.json()["data"]) == (404, {"status": 404})


def test_an_unknown_route_is_a_404_in_json(get: Get) -> None:
    assert get("/wp-json/wc/v3/nothing").json()["code"] == "rest_no_route"


@pytest.mark.parametrize("path", [LIST, f"{LIST}/1", f"{LIST}/7/variations"])
def test_a_closed_shop_demands_key_and_secret(serve: Serve, path: str) -> None:
    get = serve(woocommerce_app(PRODUCTS, VARIATIONS, Credentials("key", "secret")))
    refused = get(path, auth=("key", "wrong"))
    assert (refused.status_code, sorted(refused.json()), refused.json()["data"]) == (
        401,
        ["code", "data", "message"],
        {"status": 401},
    )
    assert get(path).status_code == 401
    assert get(path, auth=("key", "secret")).status_code == 200
    assert get(f"{path}?consumer_key=key&consumer_secret=secret").status_code == 200


def test_a_proxy_may_wrap_every_array_in_an_envelope(serve: Serve) -> None:
    get = serve(woocommerce_app(PRODUCTS, VARIATIONS, wrap=True))
    assert len(get(LIST).json()["data"]) == 10
    assert len(get(f"{LIST}/7/variations").json()["data"]) == 10
    assert get(f"{LIST}?page=9").json() == {"data": []}
    assert get(f"{LIST}/1").json() == {"id": 1, "status": "publish"}


@pytest.mark.parametrize("path", ["/wp-json/wc/store/v1/products", "/wp-json/wc/store/products"])
def test_the_store_api_is_public_and_pages_the_same_way(serve: Serve, path: str) -> None:
    get = serve(store_api_app(PRODUCTS))
    response = get(f"{path}?per_page=10&page=3")
    assert (len(response.json()), response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"]) == (5, "25", "3")
    assert list(response.links) == ["first", "prev", "last"]
    assert get(f"{path}?page=4").json() == []
    assert get(f"{path}/1").json()["id"] == 1
    assert get(f"{path}/99").status_code == 404


def test_both_apis_give_the_products_with_certain_ids(serve: Serve) -> None:
    for app, path in ((woocommerce_app(PRODUCTS), LIST), (store_api_app(PRODUCTS), "/wp-json/wc/store/v1/products")):
        response = serve(app)(f"{path}?include=2,99,5&per_page=100")
        assert sorted(product["id"] for product in response.json()) == [2, 5]
        assert response.headers["X-WP-Total"] == "2"
