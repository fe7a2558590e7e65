"""What is asked of the catalogue, and what it answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.service.model.source import Head

SORTS = ("relevance", "price", "-price", "name", "-rating", "-updated")
FACETS = ("brand", "category", "source", "availability", "price")
TOMBSTONES_KEPT = dt.timedelta(days=90)
PER_PAGE = 30
PER_PAGE_MAX = 100


class TermKind(StrEnum):
    """How a search term is meant."""

    WORD = "word"
    PHRASE = "phrase"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must stand in a product's text."""

    text: str
    kind: TermKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked of the catalogue, normalised: two requests that mean the same are equal and hash alike."""

    terms: tuple[Term, ...] = ()
    source: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    gtin: tuple[str, ...] = ()
    availability: tuple[str, ...] = ()
    min_price: int | None = None
    max_price: int | None = None
    currency: str | None = None
    min_rating: float | None = None
    sort: str = "name"
    page: int = 1
    per_page: int = PER_PAGE
    facets: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller wants beside the catalogue's own answer: to have it confirmed live, and which sources must be in it."""

    live: bool = False
    deadline_ms: int | None = None
    require: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """One value of a facet and how many products have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class PriceBucket:
    """A price band of one currency: from (included) to (excluded, None without end), and how many products lie in it."""

    currency: str
    lowest: int
    below: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Hits:
    """What the store found for a query: stored product documents of one page, the total, facet counts."""

    documents: tuple[bytes, ...]
    total: int
    facets: Mapping[str, tuple[Bucket | PriceBucket, ...]]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a product: when it left the catalogue, and the first version that is without it."""

    id: str
    version: int
    deleted_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the catalogue and the truth about every source at that moment."""

    head: Head
    query: Query
    hits: Hits

    @property
    def pages(self) -> int:
        """How many pages the whole result has."""
        return -(-self.hits.total // self.query.per_page)
