"""Both Shopify dialects: numbered storefront pages, and Admin pages behind a cursor."""

import pytest
from requests.utils import parse_header_links

from sample.dialects import admin_app, storefront_app
from sample.records import Records
from test.sample.conftest import Get, Serve

ADMIN = "/admin/api/2024-01/products.json"


def make_records(count: int) -> Records:
    """Return that many records."""
    return Records({"id": number, "title": f"Lamp {number}"} for number in range(1, count + 1))


@pytest.fixture
def storefront(serve: Serve) -> Get:
    """Return a GET to a storefront of 300 products."""
    return serve(storefront_app(make_records(300)))


@pytest.mark.parametrize(
    ("query", "count", "first"),
    [
        ("", 30, 1),
        ("page=2", 30, 31),
        ("limit=250&page=2", 50, 251),
        ("limit=1000", 250, 1),
        ("page=0", 30, 1),
        ("limit=x", 30, 1),
    ],
)
def test_a_storefront_page_is_numbered_from_one_and_has_at_most_250(
    storefront: Get, query: str, count: int, first: int
) -> None:
    products = storefront(f"/products.json?{query}").json()["products"]
    assert (len(products), products[0]["id"]) == (count, first)


def test_a_storefront_past_its_end_is_empty_and_tells_no_total(storefront: Get) -> None:
    response = storefront("/products.json?limit=250&page=3")
    assert response.json() == {"products": []}
    assert "Link" not in response.headers


@pytest.mark.parametrize(
    ("query", "status"), [("limit=250&page=100", 200), ("limit=250&page=101", 400), ("limit=999&page=101", 400)]
)
def test_a_storefront_refuses_to_go_deeper_than_25000(storefront: Get, query: str, status: int) -> None:
    assert storefront(f"/products.json?{query}").status_code == status


def test_the_admin_api_is_walked_by_its_links_alone(serve: Serve) -> None:
    get = serve(admin_app(make_records(7)))
    found, query, relations = [], "?limit=3", []
    while query:
        response = get(ADMIN + query)
        found += [product["id"] for product in response.json()["products"]]
        links = {link["rel"]: link["url"] for link in parse_header_links(response.headers.get("Link", ""))}
        relations.append(list(links))
        query = "?" + links["next"].partition("?")[2] if "next" in links else ""
    assert found == [1, 2, 3, 4, 5, 6, 7]
    assert relations == [["next"], ["previous", "next"], ["previous"]]


def test_the_admin_api_sends_no_link_when_everything_fits(serve: Serve) -> None:
    response = serve(admin_app(make_records(2)))(ADMIN)
    assert "Link" not in response.headers
    assert response.headers["X-Shopify-Shop-Api-Call-Limit"] == "1/400"


@pytest.mark.parametrize("query", ["page=2", "page_info=nonsense", "page_info=%FF", "page_info=e30&status=active"])
def test_the_admin_api_refuses_pages_and_foreign_cursors(serve: Serve, query: str) -> None:
    assert serve(admin_app(make_records(2)))(f"{ADMIN}?{query}").status_code == 400


def test_the_admin_api_goes_back_and_past_an_id_and_keeps_fields(serve: Serve) -> None:
    get = serve(admin_app(make_records(7)))
    after = get(f"{ADMIN}?since_id=5&fields=id")
    assert after.json()["products"] == [{"id": 6}, {"id": 7}]
    back = get(ADMIN + "?" + after.links["previous"]["url"].partition("?")[2])
    assert [product["id"] for product in back.json()["products"]] == [1, 2, 3, 4, 5]


def test_the_admin_api_demands_its_token(serve: Serve) -> None:
    get = serve(admin_app(make_records(2), token="let-me-in"))
    assert get(ADMIN).status_code == 401
    assert get(ADMIN, headers={"X-Shopify-Access-Token": "wrong"}).status_code == 401
    assert get(ADMIN, headers={"X-Shopify-Access-Token": "let-me-in"}).status_code == 200


def test_one_admin_product_is_in_an_envelope_or_not_found(serve: Serve) -> None:
    get = serve(admin_app(make_records(2)))
    assert get("/admin/api/2024-01/products/2.json").json() == {"product": {"id": 2, "title": "Lamp 2"}}
    assert get("/admin/api/2024-01/products/9.json").status_code == 404


LAMP = {
    "id": 7,
    "title": "Lamp",
    "handle": "lamp",
    "body_html": "<p>Bright</p>",
    "product_type": "Lamps",
    "images": [{"src": "https://cdn.example/1.jpg"}],
    "variants": [
        {"id": 70, "product_id": 7, "title": "S", "price": "19.99", "compare_at_price": None, "available": False},
        {"id": 71, "product_id": 7, "title": "M", "price": "1.07", "compare_at_price": "2.00", "available": True},
    ],
}


def test_a_products_page_names_some_fields_otherwise_and_counts_in_hundredths(serve: Serve) -> None:
    page = serve(storefront_app(Records([LAMP])))("/products/lamp.js").json()
    assert (page["id"], page["description"], page["type"]) == (7, "<p>Bright</p>", "Lamps")
    assert (page["price"], page["price_max"], page["available"]) == (107, 1999, True)
    assert [(row["price"], row["compare_at_price"]) for row in page["variants"]] == [(1999, None), (107, 200)]
    assert page["images"] == ["//cdn.example/1.jpg"]


def test_a_handle_the_shop_does_not_have_is_a_page_that_is_not_found(serve: Serve) -> None:
    response = serve(storefront_app(Records([LAMP])))("/products/gone.js")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_storefronts_list_is_not_sent_again_while_it_is_the_same(storefront: Get) -> None:
    first = storefront("/products.json")
    again = storefront("/products.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert storefront("/products.json?page=2", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_the_admin_api_gives_the_products_with_certain_ids(serve: Serve) -> None:
    response = serve(admin_app(make_records(7)))(f"{ADMIN}?ids=5,2,9,5&fields=id")
    assert response.json()["products"] == [{"id": 5}, {"id": 2}]
    assert "Link" not in response.headers
