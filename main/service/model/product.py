"""What is sold: products, their prices and forms, and records that are no products."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from main.util.money import format_minor

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


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
