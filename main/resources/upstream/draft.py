"""Looks at a payload nobody has described yet and writes a first mapping for a person to edit."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from main.resources.upstream.base import read_json
from main.resources.upstream.draftpaging import find_leaves, guess_paging
from main.service.errors import UpstreamGarbled
from main.util.expressions import compile_expression
from main.util.money import is_currency
from main.util.prices import read_price

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from main.resources.upstream.session import Answer

_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": (
        *("id", "product_id", "item_id", "uuid", "code", "sku", "number", "item_number", "article_number", "part_number", "nr"),
        *("handle", "slug"),  # last, because shops change them
    ),
    "name": ("name", "title", "product_name", "label", "display_name", "name_en", "title_en", "name_ar", "title_ar"),
    "brand": ("brand", "maker", "manufacturer", "vendor", "brands"),
    "description": ("description", "body_html", "summary", "details", "short_description"),
    "category": ("category", "product_type", "type", "department", "categories"),
    "price": ("price", "price_minor", "price_cents", "amount", "unit_price", "pricing", "prices", "cost"),
    "currency": ("currency", "currency_code", "price_currency", "currency_iso", "iso_code", "iso", "ccy", "cur"),
    "availability": ("availability", "availability_status", "in_stock", "available", "stock_status"),
    "stock": ("stock", "stock_quantity", "quantity", "inventory", "inventory_quantity", "qty"),
    "rating": ("rating", "average_rating", "score"),
    "rating_count": ("rating_count", "review_count", "reviews_count", "num_reviews"),
    "gtin": ("gtin", "ean", "gtin13", "ean13", "barcode", "upc"),
    "sku": ("sku", "article_number", "mpn", "part_number"),
    "url": ("url", "link", "permalink", "href", "product_url", "web_url"),
    "images": ("images", "image", "media", "pictures", "photos", "image_url", "gallery", "thumbnail"),
    "tags": ("tags", "keywords", "labels"),
    "updated_at": ("updated_at", "modified_at", "last_modified", "updated", "date_modified", "last_modified_t"),
}
_INNER: Mapping[str, tuple[str, ...]] = {
    "price": ("amount", "value", "current", "net", "gross", "final", "price", "min"),
    "currency": ("currency", "currency_code", "code", "iso_code", "iso", "ccy", "cur"),
    "images": ("url", "src", "href", "image_url", "link"),
    "rating": ("average", "rate", "value", "rating"),
    "rating_count": ("count", "total"),
    "stock": ("quantity", "qty", "available", "count"),
}
_TEXT_INNER = ("name", "title", "en", "ar", "default", "label", "value")
_DEPTH = 6
_MINOR = ("minor", "cents")
_COMMA = re.compile(r"\d,[0-9]{1,2}(?!\d)")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_REQUIRED = ("id", "name", "price")
_MOST_TOLD = 40
# What stands in a draft because nothing better was found, by the line it makes.
_GUESSES = {
    "  priced: false": "no price was found: take this line out once fields.price is there",
    "    page:\n      style: none": 'no way on was found, so only the first page is read: see "How a list goes on" in docs/sources.md',
    "      param: cursor": "a guess: the parameter in which the shop takes its cursor",
}
_HEAD = "# A first guess: look at every line, then `python -m main sources try NAME`.\n"


def draft_source(answer: Answer) -> str:
    """Give a source's entry of config.yml that fits the payload, as far as it can be told.

    Raises:
        UpstreamGarbled: it is no JSON, or there is no list of objects in it.
    """
    payload = read_json(answer)
    lists = sorted(_find_lists(payload), key=lambda found: -len(found[1]))
    if not lists:
        raise UpstreamGarbled("The payload has no list of objects.")
    items, records = lists[0]
    mapping = guess_fields(records)
    parts = urlsplit(answer.url)
    at_web = parts.scheme in {"http", "https"}
    page = guess_paging(payload, dict(parse_qsl(parts.query)), items, linked="link" in answer.headers)
    params = {name: value for name, value in parse_qsl(parts.query) if name not in page.values()}
    listing: dict[str, Any] = {"path": parts.path or "/"} if at_web else {"path": "/EDIT"}
    listing |= {"items": items, **({"params": params} if params else {}), "page": page}
    currency, told_by = _guess_currency(mapping, records, payload)
    entry: dict[str, Any] = {
        "name": "edit",
        "kind": "mapped",
        "url": f"{parts.scheme}://{parts.netloc}" if at_web else "https://edit.example",
        **({} if "currency" in mapping else {"currency": currency}),
        **({} if "price" in mapping else {"priced": False}),
        "list": listing,
        "fields": mapping,
    }
    text = yaml.safe_dump({"sources": [entry]}, sort_keys=False, allow_unicode=True, width=120)
    return _HEAD + _tell_missing(mapping, records) + _mark(text, {**_GUESSES, f"  currency: {currency}": told_by})


def guess_fields(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Give an expression for each field that has a likely key in the records."""
    sample = _merge(records)
    found: dict[str, Any] = {}
    for ours, names in _NAMES.items():
        looked = (*(_look(sample, name, ours) for name in names), _inside_price(sample, ours))
        path = next((path for path in looked if path and (ours != "currency" or _is_code(_find(path, sample)))), None)
        if path:
            found[ours] = _written(path, sample) if ours == "price" else path
    return found


def _tell_missing(mapping: Mapping[str, Any], records: list[dict[str, Any]]) -> str:
    """Give a comment on the required fields that were not found, with what the records have to choose from."""
    missing = [name for name in _REQUIRED if name not in mapping]
    paths = list(_paths_of(_merge(records)))
    told = ", ".join(paths[:_MOST_TOLD]) + (", ..." if len(paths) > _MOST_TOLD else "")
    return f"# Not found, to be added under fields: {', '.join(missing)}. The records have: {told}\n" if missing else ""


def _paths_of(value: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """Give the expression of every value that is no object; a list's first object stands for all of them."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value, path = value[0], f"{path}[0]"
    if not isinstance(value, dict) or depth > _DEPTH:
        yield path
        return
    for key, below in value.items():
        yield from _paths_of(below, f"{path}.{quote(key)}".lstrip("."), depth + 1)


def _merge(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Give one record in which every key has the first value that says something."""
    merged: dict[str, Any] = {}
    for record in records[:50]:
        merged |= {key: value for key, value in record.items() if merged.get(key) in (None, "", [], {})}
    return merged


def _look(sample: dict[str, Any], name: str, ours: str) -> str | None:
    key = next((key for key in sample if _fold(key) == _fold(name)), None)
    value = sample.get(key) if key is not None else None
    return None if key is None or value is None else _leaf(quote(key), value, ours)


def _leaf(path: str, value: Any, ours: str) -> str | None:
    inner = _INNER.get(ours, _TEXT_INNER)
    if isinstance(value, dict):
        below = next((key for name in inner for key in value if _fold(key) == _fold(name)), None)
        return None if below is None else _leaf(f"{path}.{quote(below)}", value[below], ours)
    if not isinstance(value, list):
        return f"[{path}]" if ours == "images" and not (isinstance(value, str) and "," in value) else path
    if not value or ours not in {"images", "tags", "category", "brand"}:
        return None
    one = value[0]
    below = next((key for name in inner for key in one if _fold(key) == _fold(name)), None) if isinstance(one, dict) else None
    if isinstance(one, dict) and below is None:
        return None
    if ours in {"category", "brand"}:
        return f"{path}[0]" + (f".{quote(below)}" if below else "")
    return f"{path}[].{quote(below)}" if below else path


def _inside_price(sample: dict[str, Any], ours: str) -> str | None:
    """Give where the currency is when it stands beside the amount, and a rating's count beside the average."""
    holders = {"currency": _NAMES["price"], "rating_count": ("rating",)}.get(ours, ())
    for name in holders:
        key = next((key for key in sample if _fold(key) == _fold(name)), "")
        if isinstance(sample.get(key), dict) and (path := _leaf(quote(key), sample[key], ours)):
            return path
    return None


def _guess_currency(mapping: Mapping[str, Any], records: list[dict[str, Any]], payload: Any) -> tuple[str, str]:
    """Give a currency for the source, and what says so: a price that has it beside it, what stands around the list, or nobody."""
    price = mapping.get("price", "''")
    rule = price if isinstance(price, dict) else {"path": price}
    value = _find(rule["path"], _merge(records))
    try:
        code = read_price(value, rule.get("decimal"))[1] if isinstance(value, str) else None
    except ValueError:
        code = None
    if code:
        return code, "as it stands beside the first price"
    names = {_fold(name) for name in _NAMES["currency"]}
    around = ((path, value) for path, key, value in find_leaves(payload) if _fold(key) in names and _is_code(value))
    path, code = next(around, ("", "EUR"))
    return code.upper(), f"as {path} says" if path else "invented: the records name no currency"


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and is_currency(value.upper())


def _mark(text: str, marks: Mapping[str, str]) -> str:
    """Give the settings with a comment behind each of these lines."""
    for line, why in marks.items():
        text = text.replace(f"\n{line}\n", f"\n{line}  # {why}\n", 1)
    return text


def _find(path: str, sample: Any) -> Any:
    return compile_expression(path).search(sample)


def _written(path: str, sample: dict[str, Any]) -> Any:
    value = _find(path, sample)
    rule: dict[str, str] = {}
    if any(word in path.lower() for word in _MINOR) and not isinstance(value, Decimal):
        rule["unit"] = "minor"
    if isinstance(value, str) and _COMMA.search(value):
        rule["decimal"] = ","
    return {"path": path, **rule} if rule else path


def _find_lists(node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if isinstance(node, list):
        objects = [item for item in node if isinstance(item, dict)]
        if objects and all(isinstance(item.get("node"), dict) for item in objects):
            yield f"{path}[].node", [item["node"] for item in objects]
        elif objects:
            yield path or "@", objects
    elif isinstance(node, dict) and depth < _DEPTH:
        for key, below in node.items():
            yield from _find_lists(below, f"{path}.{quote(key)}".lstrip("."), depth + 1)


def quote(key: str) -> str:
    """Give a key as it stands in an expression."""
    return key if _IDENTIFIER.match(key) else json.dumps(key, ensure_ascii=False)


def _fold(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")
