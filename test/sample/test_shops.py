"""The demo shops hold what their README says."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
import requests
from stdnum import ean

from sample.server import running
from sample.shops import SHOP_NAMES, demo_app

README = (Path(__file__).parents[2] / "sample" / "shops" / "README.md").read_text(encoding="utf-8")
DEPOT = "/depot/wp-json/wc/v3/products"
AUTH = ("demo-key", "demo-secret")
Shops = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Return the address of all three shops."""
    with running(demo_app()) as url:
        yield url


@pytest.fixture(scope="module")
def shops(base_url: str) -> Shops:
    """Return every record of every shop, as crawled."""
    feed = requests.get(f"{base_url}/parts/parts.csv", timeout=5).content.decode()
    return {
        "lumen": requests.get(f"{base_url}/lumen/products.json?limit=250", timeout=5).json()["products"],
        "depot": requests.get(f"{base_url}{DEPOT}?per_page=100", timeout=5, auth=AUTH).json(),
        "parts": list(csv.DictReader(feed.splitlines())),
    }


@pytest.fixture(scope="module")
def variations(base_url: str, shops: Shops) -> dict[int, list[dict[str, Any]]]:
    """Return the variations of every variable depot product."""
    parents = [product for product in shops["depot"] if product["type"] == "variable"]
    return {
        parent["id"]: requests.get(f"{base_url}{DEPOT}/{parent['id']}/variations", timeout=5, auth=AUTH).json()
        for parent in parents
    }


def read_rows(first_cell: str) -> list[list[str]]:
    """Return the README's table rows whose first cell fits the pattern."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in README.splitlines() if line.startswith("|")]
    return [row for row in rows if re.fullmatch(first_cell, row[0])]


def is_sellable(record: dict[str, Any]) -> bool:
    """Return whether the record has an id, a name and a price above zero."""
    prices = [variant["price"] for variant in record["variants"]] if "variants" in record else [record["price"]]
    named = str(record["id"]).strip() and (record.get("title") or record.get("name") or "").strip()
    return bool(named) and all(is_positive(price) for price in prices)


def is_positive(price: str) -> bool:
    """Return whether the text is a number above zero."""
    try:
        return Decimal(price) > 0
    except InvalidOperation:
        return False


def is_heading(record: dict[str, Any]) -> bool:
    """Return whether the record only groups others."""
    return record.get("type") == "grouped"


def test_the_counts_in_the_readme_are_true(shops: Shops) -> None:
    found = []
    for name in SHOP_NAMES:
        sellable = sum(map(is_sellable, shops[name]))
        headings = sum(map(is_heading, shops[name]))
        found.append([len(shops[name]), sellable, headings, len(shops[name]) - sellable - headings])
    found.append([sum(column) for column in zip(*found, strict=True)])
    assert [[int(cell) for cell in row[3:]] for row in read_rows("lumen|depot|parts|all") if len(row) == 7] == found


def test_the_invalid_records_in_the_readme_are_the_invalid_ones(shops: Shops) -> None:
    said = [(row[0], "" if "empty" in row[1] else row[1]) for row in read_rows("lumen|depot|parts") if len(row) == 3]
    found = [
        (name, str(row["id"])) for name in SHOP_NAMES for row in shops[name] if not is_sellable(row) and not is_heading(row)
    ]
    assert said == found


def test_the_shared_gtins_in_the_readme_are_shared(shops: Shops, variations: dict[int, list[dict[str, Any]]]) -> None:
    rows = [*shops["depot"], *(child for children in variations.values() for child in children)]
    depot = {row["global_unique_id"].zfill(14): str(row["id"]) for row in rows if row["global_unique_id"]}
    shared = [(row["id"], depot[code]) for row in shops["parts"] if (code := row["gtin"].zfill(14)) in depot]
    assert [tuple(row[:2]) for row in read_rows(r"PX-\d+")] == shared
    assert len(shared) == 11


def test_every_gtin_is_valid_but_the_one_in_the_readme(shops: Shops, variations: dict[int, list[dict[str, Any]]]) -> None:
    rows = [*shops["depot"], *(child for children in variations.values() for child in children)]
    assert all(ean.is_valid(row["global_unique_id"]) for row in rows if row["global_unique_id"])
    assert [row["id"] for row in shops["parts"] if not ean.is_valid(row["gtin"])] == ["PX-1013"]
    assert sum(bool(product["global_unique_id"]) for product in shops["depot"]) == 15


def test_the_remarks_on_lumen_are_true(shops: Shops) -> None:
    lumen = {product["id"] - 7_800_100_000_000: product for product in shops["lumen"]}
    assert sum(len(product["variants"]) for product in lumen.values()) == 72
    assert sum(len(product["variants"]) for product in lumen.values() if is_sellable(product)) == 71
    assert [variant["available"] for variant in lumen[2]["variants"]].count(False) == 2
    assert len(lumen[2]["variants"]) == 28
    assert [key for key, product in lumen.items() if not any(variant["available"] for variant in product["variants"])] == [20]
    assert [key for key, product in lumen.items() if not product["product_type"]] == [5]
    assert [key for key, product in lumen.items() if product["variants"][0]["sku"] is None] == [6]
    assert [key for key, product in lumen.items() if "<script" in product["body_html"]] == [7]
    assert [key for key, product in lumen.items() if product["variants"][0]["compare_at_price"]] == [3, 17, 19]
    assert re.search("[\u0600-\u06ff]", lumen[4]["title"])
    assert not any("barcode" in variant for product in lumen.values() for variant in product["variants"])


def test_the_remarks_on_depot_are_true(shops: Shops, variations: dict[int, list[dict[str, Any]]]) -> None:
    depot = {product["id"]: product for product in shops["depot"]}
    assert {parent: len(children) for parent, children in variations.items()} == {4111: 3, 4112: 3, 4113: 2}
    assert {parent: [child["id"] for child in children] for parent, children in variations.items()} == {
        parent: depot[parent]["variations"] for parent in variations
    }
    children = {child["id"]: child for family in variations.values() for child in family}
    assert (children[4202]["manage_stock"], children[4203]["stock_status"], children[4213]["on_sale"]) == (
        "parent",
        "outofstock",
        True,
    )
    assert depot[4110]["stock_quantity"] == 16.5
    assert (depot[4107]["stock_status"], depot[4115]["stock_status"]) == ("onbackorder", "outofstock")
    assert [key for key, product in depot.items() if product["on_sale"]] == [4102, 4119]
    assert [key for key, product in depot.items() if not product["brands"]] == [4114]
    assert depot[4114]["grouped_products"] == [4101, 4102, 4113]


def test_the_remarks_on_parts_are_true(shops: Shops) -> None:
    assert [row["id"] for row in shops["parts"] if row["currency"] == "USD"] == ["PX-1006", "PX-1018", "PX-1019"]
    assert {row["currency"] for row in shops["parts"]} == {"EUR", "USD"}
    assert [line for line, row in enumerate(shops["parts"], 2) if not row["id"]] == [17]


def test_the_index_names_every_shop(base_url: str) -> None:
    listed = requests.get(base_url, timeout=5).json()["shops"]
    assert [(shop["name"], shop["records"]) for shop in listed] == [("lumen", 22), ("depot", 20), ("parts", 20)]
    assert requests.get(listed[0]["url"], timeout=5).ok
    assert requests.get(f"{base_url}/nothing", timeout=5).status_code == 404


def test_the_depot_is_closed_without_its_key(base_url: str) -> None:
    assert requests.get(f"{base_url}{DEPOT}", timeout=5).status_code == 401


def test_links_of_a_mounted_shop_lead_back_to_it(base_url: str) -> None:
    first = requests.get(f"{base_url}{DEPOT}", timeout=5, auth=AUTH)
    assert first.links["next"]["url"] == f"{base_url}{DEPOT}?page=2"
