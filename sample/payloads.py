"""Serves folders of real payloads with each live API's way of paging."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

import orjson

from sample.dialects import admin_app, dummyjson_app, fakestore_app, store_api_app, storefront_app, woocommerce_app
from sample.mount import Shop, mount
from sample.records import Record, Records

PARENT_PATH = re.compile(r"/products/(\d+)/?$")
STOREFRONT, ADMIN = "/products.json", "/admin/api/2024-01/products.json"
V3, STORE = "/wp-json/wc/v3/products", "/wp-json/wc/store/v1/products"
VARIATIONS = "woocommerce/v3_product_variations.json"
MIXED_VARIATIONS = "woocommerce/v3_product_variations_manage_stock_two_states_data_envelope.json"
DOCS_VARIATIONS = "woocommerce/v3_docs_list_all_variations.json"


@dataclass(frozen=True)
class Recipe:
    """Which files make one shop, and how it is served."""

    name: str
    kind: str
    list_path: str
    files: tuple[str, ...]
    make_app: Callable[[Path, Records], WSGIApplication]


def payload_app(folder: Path) -> WSGIApplication:
    """Return one application with every shop whose payloads are below the folder."""
    return mount(find_shops(folder)[0])


def find_shops(folder: Path) -> tuple[list[Shop], list[str]]:
    """Return the shops whose payloads are below the folder, and the files that are missing."""
    shops, missing = [], []
    for recipe in RECIPES:
        absent = [name for name in recipe.files if not (folder / name).is_file()]
        missing += absent
        if not absent:
            shops.append(_make_shop(folder, recipe))
    return shops, missing + [name for name in (VARIATIONS, MIXED_VARIATIONS, DOCS_VARIATIONS) if not (folder / name).is_file()]


def _make_shop(folder: Path, recipe: Recipe) -> Shop:
    """Return the shop of one recipe; of records with the same id the first one seen stays."""
    records: dict[object, Record] = {}
    for name in recipe.files:
        for record in _read(folder / name):
            records.setdefault(record["id"], record)
    stored = Records(records.values())
    return Shop(recipe.name, recipe.kind, recipe.list_path, len(stored), recipe.make_app(folder, stored))


def _read(path: Path) -> list[Record]:
    """Return a file's records, whichever envelope they are in; none when the file is missing."""
    if not path.is_file():
        return []
    content = orjson.loads(path.read_bytes())
    if isinstance(content, dict):
        content = content.get("products", content.get("data", []))
    return list(content)


def _group_variations(variations: Iterable[Record], known: Iterable[Record]) -> dict[str, Records]:
    """Return the variations by the id of the product they say they belong to.

    A record without a link belongs where the known record with the same id does.
    """
    parents = {record["id"]: parent for record in known if (parent := _find_parent(record))}
    families: dict[str, list[Record]] = {}
    for record in variations:
        parent = _find_parent(record) or parents.get(record["id"])
        if parent:
            families.setdefault(parent, []).append(record)
    return {parent: Records(children) for parent, children in families.items()}


def _find_parent(record: Record) -> str | None:
    """Return the product id in the record's own link to its parent."""
    links = record.get("_links", {}).get("up") or [{}]
    found = PARENT_PATH.search(links[0].get("href", ""))
    return found[1] if found else None


def _serve_v3(file: str, *, wrap: bool = False) -> Callable[[Path, Records], WSGIApplication]:
    """Return how to serve a REST v3 list whose variations are in the file."""

    def make_app(folder: Path, records: Records) -> WSGIApplication:
        families = _group_variations(_read(folder / file), _read(folder / VARIATIONS))
        return woocommerce_app(records, families, wrap=wrap)

    return make_app


def _serve(make: Callable[[Records], WSGIApplication]) -> Callable[[Path, Records], WSGIApplication]:
    """Return how to serve a list that needs nothing but its records."""
    return lambda _folder, records: make(records)


def _shopify(name: str, *files: str) -> Recipe:
    """Return the recipe of a storefront."""
    return Recipe(
        f"shopify/{name}", "shopify", STOREFRONT, tuple(f"shopify/{file}.json" for file in files), _serve(storefront_app)
    )


def _admin(letter: str) -> Recipe:
    """Return the recipe of an Admin API shop."""
    files = (f"shopify/admin_rest_shop_{letter}_page1.json",)
    return Recipe(f"shopify_admin/{letter}", "shopify_admin", ADMIN, files, _serve(admin_app))


def _v3(name: str, file: str, variations: str, *, wrap: bool = False) -> Recipe:
    """Return the recipe of a WooCommerce REST v3 shop."""
    return Recipe(f"woocommerce/{name}", "woocommerce", V3, (f"woocommerce/{file}.json",), _serve_v3(variations, wrap=wrap))


RECIPES = (
    Recipe("dummyjson", "dummyjson", "/products", ("dummyjson/products_limit0.json",), _serve(dummyjson_app)),
    Recipe("fakestore", "fakestore", "/products", ("fakestore/products.json",), _serve(fakestore_app)),
    _shopify("popupoutlet", "popupoutlet_products"),
    _shopify("hades_culture", "hades_culture_products"),
    _shopify("elsewedy_ar", "elsewedyshop_page1_ar_trimmed", "elsewedyshop_page4_ar_trimmed", "elsewedyshop_gallery_order"),
    _shopify("elsewedy_en", "elsewedyshop_page1_en_trimmed"),
    _admin("a"),
    _admin("b"),
    _v3("v3", "v3_products_page1", VARIATIONS),
    _v3("mixed", "v3_products_mixed_visibility_data_envelope", MIXED_VARIATIONS, wrap=True),
    _v3("docs", "v3_docs_list_all_products", DOCS_VARIATIONS),
    Recipe(
        "woocommerce/store", "store_api", STORE, ("woocommerce/store_api_samehgabriel_products.json",), _serve(store_api_app)
    ),
)
