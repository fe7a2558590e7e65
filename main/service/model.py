"""The things Aisle speaks about: plain frozen objects that every layer may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from main.util.money import format_minor

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from main.util.secret import Secret


class Availability(StrEnum):
    """Whether a product can be had, in the words of schema.org/ItemAvailability."""

    BACK_ORDER = "BackOrder"
    DISCONTINUED = "Discontinued"
    IN_STOCK = "InStock"
    IN_STORE_ONLY = "InStoreOnly"
    LIMITED = "LimitedAvailability"
    MADE_TO_ORDER = "MadeToOrder"
    ONLINE_ONLY = "OnlineOnly"
    OUT_OF_STOCK = "OutOfStock"
    PRE_ORDER = "PreOrder"
    PRE_SALE = "PreSale"
    RESERVED = "Reserved"
    SOLD_OUT = "SoldOut"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: integer minor units of an ISO 4217 currency."""

    minor: int
    currency: str

    @property
    def amount(self) -> str:
        """The amount as a plain decimal string, such as ``19.99``."""
        return format_minor(self.minor, self.currency)


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The lowest and the highest price among a product's variants."""

    lowest: Money
    highest: Money


@dataclass(frozen=True, slots=True)
class Rating:
    """What buyers thought: average of 0..5, and of how many (None where the shop does not say)."""

    average: float
    count: int | None


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a product: a size, a colour; ``options`` maps the option's name to its value."""

    id: str
    name: str | None
    sku: str | None
    gtin: str | None
    price: Money | None
    availability: Availability | None
    stock: int | None
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing as one source sells it."""

    source: str
    source_id: str
    name: str
    fetched_at: dt.datetime
    brand: str | None = None
    description: str | None = None
    category: str | None = None
    price: Money | None = None
    price_range: PriceRange | None = None
    availability: Availability | None = None
    stock: int | None = None
    rating: Rating | None = None
    gtin: str | None = None
    sku: str | None = None
    url: str | None = None
    images: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    updated_at: dt.datetime | None = None

    @property
    def id(self) -> str:
        """The catalogue's id: ``<source>:<the source's own id>``."""
        return f"{self.source}:{self.source_id}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a source wants to be asked: at most one of header, bearer, basic or query is set."""

    basic: tuple[Secret, Secret] | None = None
    bearer: Secret | None = None
    header: tuple[str, Secret] | None = None
    query: tuple[tuple[str, Secret], ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``calls`` calls in ``period``."""

    calls: int
    period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured upstream shop or feed."""

    name: str
    kind: str
    url: str
    currency: str | None = None
    every: timedelta = timedelta(minutes=5)
    stale_after: timedelta | None = None
    timeout: timedelta = timedelta(seconds=10)
    concurrency: int = 4
    rate: Rate | None = None
    credentials: Credentials = Credentials()
    headers: Mapping[str, str] = field(default_factory=dict)
    max_products: int = 250_000
    required: bool = False
    priced: bool = True
    enabled: bool = True
    categories: Mapping[str, str] = field(default_factory=dict)
    api: str | None = None
    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def fresh_for(self) -> timedelta:
        """How old a snapshot may grow before it counts as stale: ``stale_after``, or three rounds of ``every``."""
        return self.stale_after or 3 * self.every


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one record: the field and a reason for a person."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record in quarantine: where it stood in the crawl, its id if it had one, what was wrong, and itself."""

    position: int
    record_id: str | None
    faults: tuple[Fault, ...]
    raw: str


class Outcome(StrEnum):
    """How a sync ended."""

    OK = "ok"
    FAILED = "failed"
    HELD = "held"
    STOPPED = "stopped"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What one crawl of one source came to."""

    source: str
    outcome: Outcome
    started_at: dt.datetime
    finished_at: dt.datetime
    products: int = 0
    rejected: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    pages: int = 0
    error_type: str | None = None
    error: str | None = None
    version: int | None = None

    @property
    def duration_ms(self) -> int:
        """How long the crawl took, in milliseconds."""
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """What the store knows of a source: its last good snapshot and its last attempt."""

    name: str
    products: int = 0
    rejected: int = 0
    synced_at: dt.datetime | None = None
    attempted_at: dt.datetime | None = None
    outcome: Outcome | None = None
    error_type: str | None = None
    error: str | None = None
    failed_at: dt.datetime | None = None
    failures: int = 0
    duration_ms: int | None = None
    next_sync_at: dt.datetime | None = None
    lease_until: dt.datetime | None = None


class State(StrEnum):
    """How a source stands right now."""

    FRESH = "fresh"
    STALE = "stale"
    SYNCING = "syncing"
    ERROR = "error"
    OPEN = "open"
    RATE_LIMITED = "rate_limited"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source, what is known of it, and the state that follows from both at one moment."""

    source: Source
    record: SourceRecord
    state: State
    current: bool
    age_s: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """The catalogue at one moment: its version and every source's record, read together."""

    version: int
    records: Mapping[str, SourceRecord]


@dataclass(frozen=True, slots=True)
class Platform:
    """What the hosting platform set in the environment; None where it set nothing."""

    base_url: str | None = None
    mqtt_url: str | None = None
    tenant: str | None = None
    user: str | None = None
    password: Secret | None = None
    isolation: str | None = None


SORTS = ("relevance", "price", "-price", "name", "-rating", "-updated")
FACETS = ("brand", "category", "source", "availability", "price")
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
class Page:
    """One page of the catalogue and the truth about every source at that moment."""

    head: Head
    query: Query
    hits: Hits

    @property
    def pages(self) -> int:
        """How many pages the whole result has."""
        return -(-self.hits.total // self.query.per_page)
