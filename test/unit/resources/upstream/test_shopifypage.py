import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from main.resources.upstream.shopifypage import as_listed, page_path
from main.service.errors import UpstreamGarbled

BASE = "https://acme.example/en"


@given(st.text())
def test_whatever_stands_in_a_products_page_its_path_stays_below_the_products(handle):
    try:
        path = page_path(BASE, f"{BASE}/products/{handle}")
    except UpstreamGarbled:
        return
    sent = parse_url(BASE + path)
    assert sent.host == "acme.example"
    assert sent.path.startswith("/en/products/")
    assert (sent.path.count("/"), sent.query, sent.fragment) == (3, None, None)


@pytest.mark.parametrize("page", [None, "https://acme.example/products/lamp", "https://acme.example/en/products/..", "x"])
def test_another_page_is_refused(page):
    with pytest.raises(UpstreamGarbled):
        page_path(BASE, page)


def test_a_written_handle_is_taken_as_the_shop_wrote_it():
    assert page_path(BASE, f"{BASE}/products/%D9%84") == page_path(BASE, f"{BASE}/products/ل") == "/products/%D9%84.js"


@pytest.mark.parametrize(
    ("amount", "listed"), [(1999, "19.99"), (0, "0.00"), (5, "0.05"), ("19.99", "19.99"), (None, None), (True, True)]
)
def test_whole_hundredths_become_what_the_list_writes(amount, listed):
    record = orjson.loads(as_listed({"id": 1, "variants": [{"id": 2, "price": amount, "compare_at_price": amount}, 5]}))
    assert record == {"id": 1, "variants": [{"id": 2, "price": listed, "compare_at_price": listed}, 5]}


def test_names_images_and_options_are_those_of_the_list():
    page = {
        "description": "d",
        "type": "t",
        "images": ["//c/1.jpg", 5],
        "options": ["Size", {"name": "Colour"}],
        "variants": {},
    }
    assert orjson.loads(as_listed(page)) == {
        "body_html": "d",
        "product_type": "t",
        "images": [{"src": "https://c/1.jpg"}],
        "options": [{"name": "Size"}, {"name": "Colour"}],
        "variants": {},
    }
