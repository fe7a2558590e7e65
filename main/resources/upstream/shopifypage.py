"""A product's own address in a Shopify storefront: where it is, and its record in the form of the list's.

``/products/HANDLE.js`` (shopify.dev/docs/api/ajax/reference/product) names some fields otherwise, and writes amounts as whole
hundredths whatever the currency's own places are.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from main.resources.upstream.urls import quote_id
from main.service.errors import UpstreamGarbled
from main.util.money import shift

if TYPE_CHECKING:
    from collections.abc import Mapping

_RENAMED = {"description": "body_html", "type": "product_type"}
_AMOUNTS = ("price", "compare_at_price")
_UNLIKE_THE_LIST = {"inventory_quantity", "inventory_policy"}  # 0 also where the shop does not count


def page_path(base: str, url: str | None) -> str:
    """Give the path, below a source's URL, of the record behind a product's page.

    Raises:
        UpstreamGarbled: there is no page, or it is not one below the source's URL.
    """
    if url is None:
        raise UpstreamGarbled("The shop gave the product no page, which is what it is asked by.")
    start = f"{base}/products/"
    if not url.startswith(start):
        raise UpstreamGarbled("The product's page is not below the source's URL.")
    return f"/products/{quote_id(unquote(url.removeprefix(start)))}.js"


def as_listed(record: Mapping[str, Any]) -> bytes:
    """Give a page's record as the list would give it."""
    found = {_RENAMED.get(key, key): value for key, value in record.items()}
    variants, images, options = found.get("variants"), found.get("images"), found.get("options")
    if isinstance(variants, list):
        found["variants"] = [_variant(row) if isinstance(row, dict) else row for row in variants]
    if isinstance(images, list):
        found["images"] = [{"src": f"https:{url}" if url.startswith("//") else url} for url in images if isinstance(url, str)]
    if isinstance(options, list):
        found["options"] = [{"name": name} if isinstance(name, str) else name for name in options]
    return msgspec.json.encode(found)


def _variant(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in row.items() if key not in _UNLIKE_THE_LIST}
    return kept | {key: _major(row[key]) for key in _AMOUNTS if key in row}


def _major(amount: Any) -> Any:
    whole = isinstance(amount, int) and not isinstance(amount, bool)
    return f"{shift(Decimal(amount), -2):f}" if whole else amount
