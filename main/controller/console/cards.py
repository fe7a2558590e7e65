"""Products as pages show them: read from the stored documents, with nothing in them that a browser could take for an order."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from main.controller.console.words import tell_availability, tell_look

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from urllib.parse import SplitResult

    from main.controller.console.words import Word

_PLAIN_PORT = 80
_ODD = re.compile(r'[\x00-\x20"\\<>]')  # what no address has in it, and browsers read in ways of their own


class Amount(msgspec.Struct, frozen=True):
    """An amount of money."""

    amount: str
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Range(msgspec.Struct, frozen=True):
    """The lowest and the highest price."""

    lowest: Amount
    highest: Amount


class Stars(msgspec.Struct, frozen=True):
    """What buyers thought."""

    average: float
    count: int | None = None


class Form(msgspec.Struct, frozen=True):
    """One form of a product."""

    id: str = ""
    name: str | None = None
    sku: str | None = None
    gtin: str | None = None
    price: Amount | None = None
    availability: str | None = None
    stock: int | None = None
    options: dict[str, str] = {}


class Freshness(msgspec.Struct, frozen=True):
    """How far price and stock are confirmed."""

    state: str
    age_s: float | None = None
    reason: str | None = None


class Card(msgspec.Struct, frozen=True):
    """A product; what the visitor may not see is not in the document it is read from."""

    id: str
    source: str
    source_id: str
    name: str
    brand: str | None = None
    description: str | None = None
    category: str | None = None
    price: Amount | None = None
    price_range: Range | None = None
    availability: str | None = None
    stock: int | None = None
    rating: Stars | None = None
    gtin: str | None = None
    sku: str | None = None
    url: str | None = None
    images: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    variants: tuple[Form, ...] = ()
    attributes: dict[str, str] = {}
    updated_at: dt.datetime | None = None
    fetched_at: dt.datetime | None = None
    freshness: Freshness | None = None

    @property
    def path(self) -> str:
        """The id as the last part of an address."""
        return quote(self.id, safe=":/")

    @property
    def link(self) -> str | None:
        """The product's page in the shop, where that is an address that can be followed."""
        return self.url if self.url and is_web_address(self.url) else None


class Tile(NamedTuple):
    """A product among many, its words ready: a page has a hundred of them."""

    name: str
    path: str
    image: str | None
    brand: str | None
    price: str | None
    availability: Word | None
    source: str
    fresh: Word | None


def make_tile(document: bytes, standing: Mapping[str, Word], hosts: frozenset[str]) -> Tile:
    """Give a stored document as a tile; ``standing`` tells how each source stands, which a live look knows better."""
    tile = _read_tile(document, hosts)
    return tile if tile.fresh else tile._replace(fresh=standing.get(tile.source))


@lru_cache(maxsize=1024)
def _read_tile(document: bytes, hosts: frozenset[str]) -> Tile:
    card = read_card(document)
    return Tile(
        name=card.name,
        path=card.path,
        image=next((url for url in card.images if is_shown(url, hosts)), None),
        brand=card.brand,
        price=None if card.price is None else str(card.price),
        availability=None if card.availability is None else tell_availability(card.availability),
        source=card.source,
        fresh=None if card.freshness is None else tell_look(card.freshness.state),
    )


read_card = msgspec.json.Decoder(Card).decode


def is_web_address(url: str) -> bool:
    """Tell whether a link may lead there: http or https to a host, and no user in it that looks like one."""
    parts = _split(url)
    return parts is not None and parts.scheme in {"http", "https"}


def is_shown(url: str, hosts: Collection[str]) -> bool:
    """Tell whether an image is loaded: over https, or over http from one of these hosts; as the CSP says to the browser."""
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"}:
        return False
    if parts.scheme == "https":
        return True
    name = str(parts.hostname)
    return (name if parts.port in {None, _PLAIN_PORT} else f"{name}:{parts.port}") in hosts


def _split(url: str) -> SplitResult | None:
    if _ODD.search(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and "@" not in parts.netloc else None
