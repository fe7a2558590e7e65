"""What a described record has and its product lacks, in words, for whoever tries a mapping: decoration is left out in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from main.resources.upstream.fields import web_url
from main.service.model import Remark
from main.util.expressions import ExpressionError, compile_expression
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from main.service.model import FieldMap, Product

_TEXT = "it takes a text or a number"
_URL = "it takes an absolute URL, such as https://shop.example/a"
_BARCODE = "its length or check digit is not a barcode's"
# What a field takes, for those that may be left out of a product.
_TAKES = {
    "brand": _TEXT,
    "description": "it takes a text",
    "category": _TEXT,
    "price": "it takes an amount",
    "currency": "it is a price's",
    "availability": "it takes true, false or a word such as 'in stock' or 'sold out'",
    "stock": "it takes a number",
    "rating": "it takes a number from 0 to 5, given by somebody",
    "rating_count": "it takes a number, beside a rating",
    "gtin": f"{_BARCODE}, so it is kept as attributes.barcode",
    "sku": _TEXT,
    "url": _URL,
    "images": f"{_URL}, or a list of them",
    "tags": "it takes a text or a list of texts",
    "updated_at": "it takes an ISO 8601 time, or Unix seconds or milliseconds",
}
_VARIANT_TAKES = _TAKES | {"name": _TEXT, "gtin": _BARCODE}
_SHOWN = 60
_encode = msgspec.json.Encoder(decimal_format="number").encode


def find_left_out(fields: FieldMap, record: Any, product: Product) -> Iterator[Remark]:
    """Give a remark for each field whose expression finds nothing, or something of which the product has nothing."""
    for name, rule in fields.fields.items():
        if name in _TAKES:
            kept = getattr(product.rating, "count", None) if name == "rating_count" else getattr(product, name, product.price)
            yield from _judge(name, rule.path, _TAKES[name], [(record, kept)])
    if fields.variants:
        yield from _find_in_variants(fields, record, product)


def _find_in_variants(fields: FieldMap, record: Any, product: Product) -> Iterator[Remark]:
    path = fields.variants or "@"
    yield from _judge("variants", path, "", [(record, product.variants)])
    rows = compile_expression(path).search(record) if product.variants else []
    for name, rule in fields.variant_fields.items():
        if name in _VARIANT_TAKES and rows:
            kept = [getattr(variant, name, variant.price) for variant in product.variants]
            yield from _judge(f"variants.{name}", rule.path, _VARIANT_TAKES[name], zip(rows, kept, strict=True))
    if fields.options and rows and not any(variant.options for variant in product.variants):
        yield Remark("variants.options", "nothing with a name and a text is found", found=False)


def _judge(field: str, path: str, takes: str, places: Iterable[tuple[Any, Any]]) -> Iterator[Remark]:
    """Give the first remark there is on what an expression finds in these places, and what was kept of it."""
    nothing = True
    for value, kept in places:
        try:
            found = _search(path, value)
        except ExpressionError as error:
            yield Remark(field, f"`{path}` fails: {error}")
            return
        unused = found if kept is None or kept == () else _find_odd(found, kept) if field == "images" else None
        if unused is not None:
            yield Remark(field, f"found {_show(unused)}, which is left out: {takes}")
            return
        nothing = nothing and found is None
    if nothing:
        yield Remark(field, f"`{path}` finds nothing", found=False)


def _search(path: str, value: Any) -> Any:
    """Give what an expression finds, None for anything empty."""
    found = compile_expression(path).search(value)
    if isinstance(found, list):
        found = [one for one in found if one is not None]
    return None if found in ("", [], {}) else found


def _find_odd(found: Any, kept: Any) -> Any:
    """Give the first of several images that is no URL, where some were left out."""
    listed = found if isinstance(found, list) and len(kept) < len(found) else []
    return next((one for one in listed if web_url(one.get("url") if isinstance(one, dict) else one) is None), None)


def _show(value: Any) -> str:
    return shorten(_encode(value).decode(), _SHOWN)
