"""The filters beside a list of products: what may be chosen, how many products each choice has, and addresses that keep the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

from main.controller.console.words import tell_availability
from main.controller.parameters import DEPTH_LIMIT
from main.controller.views import is_open, open_sorts
from main.service.model import PriceBucket
from main.util.money import exponent, format_minor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from main.service.model import Bucket

LABELS = {"source": "Shop", "category": "Category", "brand": "Brand", "availability": "Availability"}
_SORTS = {
    "relevance": "Best match",
    "name": "Name",
    "price": "Price, lowest first",
    "-price": "Price, highest first",
    "-rating": "Rating, best first",
    "-updated": "Last changed first",
}
_PRICES = ("min_price", "max_price", "currency")
_OTHERS = ("gtin", "per_page")  # kept, although there is no box for them
_NAMES = {
    **LABELS,
    "q": "The search",
    "sort": "The order",
    "min_price": "The lowest price",
    "max_price": "The highest price",
    "currency": "The currency",
    "min_rating": "The rating",
    "page": "The page",
}
_UNIT = 10_000
_NEIGHBOURS = 2


class Choice(NamedTuple):
    """One value that may be chosen, and how many products of the result have it."""

    value: str
    label: str
    number: int
    chosen: bool


class Band(NamedTuple):
    """A price band, and the address that leads into it."""

    label: str
    number: int
    url: str


class Step(NamedTuple):
    """A page of the list; without an address it is this one."""

    number: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Steps:
    """The way through a list."""

    page: int
    previous: str | None
    following: str | None
    near: tuple[Step, ...]
    last: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked, and what could be asked instead."""

    given: MultiDict[str, str]
    hidden: frozenset[str]
    groups: Mapping[str, tuple[Choice, ...]]
    bands: tuple[Band, ...]

    @property
    def sorts(self) -> tuple[tuple[str, str], ...]:
        """The orders there are, each with its words."""
        return tuple((sort, _SORTS[sort]) for sort in open_sorts(self.hidden))

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """What the form has no box for and sends along."""
        return tuple((name, value) for name in _OTHERS for value in self.given.getlist(name))

    @property
    def in_use(self) -> int:
        """How many filters narrow the list down."""
        names = {*LABELS, *_PRICES, "min_rating", "gtin"}
        return sum(len(self.given.getlist(name)) for name in names)

    @property
    def base(self) -> str:
        """The address of the list, without a query."""
        return f"{request.script_root}{request.path}"

    @property
    def cleared(self) -> str:
        """The address of the same search without filters."""
        kept = {"q", "sort", "per_page"}
        return address(self.given, **{name: None for name in self.given if name not in kept})

    @property
    def live(self) -> str:
        """The address of the same page, confirmed by the shops."""
        return address(self.given, live="true")

    @property
    def boxes(self) -> frozenset[str]:
        """The parameters that have a box of their own, where what is wrong with them is told."""
        shown = {"q", "sort", *self.groups, *_PRICES, "min_rating"}
        return frozenset(name for name in shown if self.offers(name))

    def tell(self, name: str) -> str:
        """Give what a parameter is called, before what is wrong with it."""
        return _NAMES.get(name, name)

    def label(self, name: str) -> str:
        """Give what a group of choices is about."""
        return LABELS[name]

    def offers(self, parameter: str) -> bool:
        """Tell whether the visitor may use a parameter."""
        return is_open(parameter, self.hidden)


def given_args() -> MultiDict[str, str]:
    """Give the query as it was meant: a form sends each box that was left empty."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if value.strip()]
    return MultiDict(pairs)


def build_filters(
    given: MultiDict[str, str], facets: Mapping[str, Sequence[Bucket | PriceBucket]], hidden: frozenset[str]
) -> Filters:
    """Give the filters for a result with these facets; what is chosen stays among the choices, even if nothing has it."""
    groups = {name: _choices(name, given.getlist(name), facets.get(name, ())) for name in LABELS if is_open(name, hidden)}
    bands = tuple(_band(given, bucket) for bucket in facets.get("price", ()) if isinstance(bucket, PriceBucket))
    return Filters(given, hidden, {name: choices for name, choices in groups.items() if choices}, bands)


def _tell_availability(word: str) -> str:
    return tell_availability(word).text


_LABELLED = {"availability": _tell_availability}


def _choices(name: str, chosen: Sequence[str], buckets: Sequence[Any]) -> tuple[Choice, ...]:
    counts = {bucket.value: bucket.count for bucket in buckets}
    values = [*counts, *(value for value in chosen if value not in counts)]
    tell = _LABELLED.get(name, str)
    return tuple(Choice(value, tell(value), counts.get(value, 0), value in chosen) for value in values)


def _band(given: MultiDict[str, str], bucket: PriceBucket) -> Band:
    lowest, currency = str(bucket.lowest // _UNIT), bucket.currency
    wanted = {"min_price": lowest, "max_price": _just_below(bucket), "currency": currency, "page": None}
    label = f"{lowest} and more" if bucket.below is None else f"{lowest} to {bucket.below // _UNIT}"
    return Band(f"{label} {currency}", bucket.count, address(given, **wanted))


def _just_below(bucket: PriceBucket) -> str | None:
    """Give the highest amount of a band: its upper end belongs to the next one."""
    if bucket.below is None:
        return None
    minor = bucket.below * 10 ** exponent(bucket.currency) // _UNIT
    return format_minor(minor - 1, bucket.currency)


def address(given: MultiDict[str, str], **changed: str | int | None) -> str:
    """Give this page's address with some parameters changed; None takes one away."""
    kept = [(name, value) for name, value in given.items(multi=True) if name not in changed]
    added = [(name, str(value)) for name, value in changed.items() if value is not None]
    return f"{request.script_root}{request.path}?{urlencode([*kept, *added])}"


def build_steps(given: MultiDict[str, str], page: int, per_page: int, total: int) -> Steps:
    """Give the way through a list of so many things, as far down as pages can be asked for."""
    last = max(1, min(-(-total // per_page), DEPTH_LIMIT // per_page))
    near = sorted({1, last, *range(max(1, page - _NEIGHBOURS), min(last, page + _NEIGHBOURS) + 1)})
    return Steps(
        page=page,
        previous=address(given, page=min(page - 1, last)) if page > 1 else None,
        following=address(given, page=page + 1) if page < last else None,
        near=tuple(Step(number, None if number == page else address(given, page=number)) for number in near),
        last=last,
    )
