"""How a query is answered by looking at every product: slow, plain, and what every catalogue is compared with."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from main.service.model import Bucket, PriceBucket, Product, Query, Term, TermKind
from main.util.money import rank_minor
from main.util.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BANDS = (0, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
UNIT = 10_000


def tokens(text: str | None) -> list[str]:
    """The words of a text: letters and digits, without accents and capitals."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", text or "") if not unicodedata.combining(sign))
    return re.findall(r"[^\W_]+", plain.lower())


def contains(text: str | None, term: Term) -> bool:
    words, wanted = tokens(text), tokens(term.text)
    starts = range(len(words) - len(wanted) + 1)
    if term.kind is TermKind.PREFIX:
        *whole, start = wanted
        return any(words[i : i + len(whole)] == whole and words[i + len(whole)].startswith(start) for i in starts)
    return any(words[i : i + len(wanted)] == wanted for i in starts)


def texts(product: Product) -> tuple[str | None, ...]:
    codes = f"{product.sku or ''} {product.gtin or ''}"
    return product.name, product.brand, product.category, codes, product.description


def matches(product: Product, query: Query) -> bool:
    rank = rank_minor(product.price.minor, product.price.currency) if product.price else None
    rating = product.rating.average if product.rating else None
    wanted: list[tuple[bool, Callable[[], bool]]] = [
        (bool(query.source), lambda: product.source in query.source),
        (bool(query.brand), lambda: _lower(product.brand) in map(_lower, query.brand)),
        (bool(query.category), lambda: _lower(product.category) in map(_lower, query.category)),
        (bool(query.gtin), lambda: product.gtin in query.gtin),
        (bool(query.availability), lambda: product.availability in query.availability),
        (query.min_price is not None, lambda: rank is not None and rank >= query.min_price),
        (query.max_price is not None, lambda: rank is not None and rank <= query.max_price),
        (query.currency is not None, lambda: product.price is not None and product.price.currency == query.currency),
        (query.min_rating is not None, lambda: rating is not None and rating >= query.min_rating),
    ]
    found = all(any(contains(text, term) for text in texts(product)) for term in query.terms)
    return found and all(holds() for asked, holds in wanted if asked)


def count_facet(products: Sequence[Product], facet: str) -> tuple[Bucket | PriceBucket, ...]:
    if facet == "price":
        return _count_bands(products)
    values: dict[str, list[str]] = {}
    for product in products:
        value = getattr(product, facet)
        if value is not None:
            values.setdefault(_lower(value), []).append(value)
    counted = [Bucket(min(found, key=lambda value: (-found.count(value), value)), len(found)) for found in values.values()]
    return tuple(sorted(counted, key=lambda bucket: (-bucket.count, _lower(bucket.value)))[:100])


def _count_bands(products: Sequence[Product]) -> tuple[PriceBucket, ...]:
    counts: dict[tuple[str, int], int] = {}
    for price in (product.price for product in products if product.price):
        band = max(index for index, bound in enumerate(BANDS) if rank_minor(price.minor, price.currency) >= bound * UNIT)
        counts[price.currency, band] = counts.get((price.currency, band), 0) + 1
    ends = [bound * UNIT for bound in BANDS[1:]] + [None]
    return tuple(PriceBucket(money, BANDS[band] * UNIT, ends[band], n) for (money, band), n in sorted(counts.items()))


def _lower(text: str | None) -> str | None:
    """Lower case of ASCII letters only, as SQLite's NOCASE has it."""
    return text if text is None else re.sub("[A-Z]", lambda found: found[0].lower(), str(text))


def rank(product: Product, key: int, query: Query) -> tuple[Any, ...]:
    """What a page is ordered by; ``key`` breaks ties, backwards where the order is."""
    price = rank_minor(product.price.minor, product.price.currency) if product.price else None
    if query.sort == "relevance" and query.terms:
        best = [min(i for i, text in enumerate(texts(product)) if contains(text, term)) for term in query.terms]
        return sum(best), key
    if query.sort == "price":
        return price is None, price or 0, key
    if query.sort == "-price":
        return price is None, -(price or 0), -key
    if query.sort == "-rating":
        return product.rating is None, -(product.rating.average if product.rating else 0), -key
    if query.sort == "-updated":
        return product.updated_at is None, -(product.updated_at.timestamp() if product.updated_at else 0), -key
    return fold(product.name), key
