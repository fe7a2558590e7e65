"""Real payloads, served as their live APIs would; needs the shared data folder beside the repository."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import requests

from sample.payloads import find_shops, payload_app
from sample.server import running

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder shared/data is not beside the repository")

COUNTS = {
    "dummyjson": 194,
    "fakestore": 20,
    "shopify/popupoutlet": 44,
    "shopify/hades_culture": 9,
    "shopify/elsewedy_ar": 9,
    "shopify/elsewedy_en": 4,
    "shopify_admin/a": 1,
    "shopify_admin/b": 1,
    "woocommerce/v3": 10,
    "woocommerce/mixed": 5,
    "woocommerce/docs": 2,
    "woocommerce/store": 18,
}


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Return the address of all payload shops."""
    with running(payload_app(DATA)) as url:
        yield url


def fetch(url: str) -> requests.Response:
    """Return the answer to a GET."""
    return requests.get(url, timeout=5)


@needs_data
def test_every_shop_is_found_with_its_number_of_records() -> None:
    shops, missing = find_shops(DATA)
    assert ({shop.name: shop.records for shop in shops}, missing) == (COUNTS, [])


@needs_data
@pytest.mark.parametrize("name", COUNTS)
def test_every_list_in_the_index_answers(base_url: str, name: str) -> None:
    urls = {shop["name"]: shop["url"] for shop in fetch(base_url).json()["shops"]}
    assert fetch(urls[name]).status_code == 200


@needs_data
@pytest.mark.parametrize(("skip", "count"), [(0, 30), (180, 14), (194, 0)])
def test_dummyjson_pages_equal_the_recorded_ones(base_url: str, skip: int, count: int) -> None:
    body = fetch(f"{base_url}/dummyjson/products?limit=30&skip={skip}").json()
    assert (len(body["products"]), body["limit"], body["total"]) == (count, count, 194)
    recorded = {0: "products_default", 180: "products_limit30_skip180", 194: "products_limit30_skip194"}[skip]
    assert fetch_recorded(recorded) == body


@needs_data
@pytest.mark.parametrize(
    ("recorded", "path"),
    [
        ("products_search_q_phone", "/products/search?q=phone"),
        ("products_category_smartphones", "/products/category/smartphones"),
        ("products_select_title_price_limit10_skip10", "/products?select=title,price&limit=10&skip=10"),
        ("product_1", "/products/1"),
        ("category_list", "/products/category-list"),
    ],
)
def test_dummyjson_queries_equal_the_recorded_ones(base_url: str, recorded: str, path: str) -> None:
    assert fetch(f"{base_url}/dummyjson{path}").json() == fetch_recorded(recorded)


def fetch_recorded(name: str) -> object:
    """Return a recorded DummyJSON answer."""
    return orjson.loads((DATA / "dummyjson" / "derived" / f"{name}.json").read_bytes())


@needs_data
def test_variations_are_served_for_the_product_they_belong_to_only(base_url: str) -> None:
    products = f"{base_url}/woocommerce/v3/wp-json/wc/v3/products"
    assert len(fetch(f"{products}/846/variations").json()) == 8
    assert fetch(f"{products}/36/variations").json() == []
    assert fetch(f"{products}/37/variations").json() == []
    assert fetch(f"{products}/1/variations").status_code == 404


@needs_data
def test_the_mixed_shop_wraps_products_and_variations(base_url: str) -> None:
    products = f"{base_url}/woocommerce/mixed/wp-json/wc/v3/products"
    assert len(fetch(products).json()["data"]) == 5
    assert [child["manage_stock"] for child in fetch(f"{products}/846/variations").json()["data"]] == [True, "parent"]


@needs_data
def test_the_store_api_sends_its_live_totals(base_url: str) -> None:
    response = fetch(f"{base_url}/woocommerce/store/wp-json/wc/store/products?per_page=100&page=1")
    assert (response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"]) == ("18", "1")


def test_missing_files_are_named_and_their_shops_left_out(tmp_path: Path) -> None:
    (tmp_path / "fakestore").mkdir()
    (tmp_path / "fakestore" / "products.json").write_text('[{"id": 1}]')
    shops, missing = find_shops(tmp_path)
    assert [(shop.name, shop.records) for shop in shops] == [("fakestore", 1)]
    assert "dummyjson/products_limit0.json" in missing
