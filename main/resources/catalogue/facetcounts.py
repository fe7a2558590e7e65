"""Turns the numbers of a result's values, or the counts of the whole catalogue, into buckets."""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from heapq import nsmallest
from typing import TYPE_CHECKING

from main.resources.catalogue.facets import FACETS_WIDTH, PRICE_BANDS
from main.service.model import FACETS, Bucket, PriceBucket

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FACET_VALUES = 100


class Tally:
    """How many products were found, and how many of them have each value, by its number."""

    def __init__(self, facets: Iterable[str]) -> None:
        self.products = 0
        self.values: Counter[int] = Counter()
        self._places = [FACETS.index(facet) for facet in facets]

    def add(self, numbers: str) -> None:
        """Count these joined ``product.facets`` as well."""
        self.products += len(numbers) // FACETS_WIDTH
        found = array("I", bytes.fromhex(numbers))
        if sys.byteorder == "little":
            found.byteswap()
        for place in self._places:
            self.values.update(found[place :: len(FACETS)])
        del self.values[0]  # no value at all


def make_buckets(rows: Iterable[Sequence[str | int]], facets: Iterable[str]) -> dict[str, tuple[Bucket | PriceBucket, ...]]:
    """Give for each facet its buckets, from rows of facet, value and count: the most frequent values, or all price bands."""
    counted: dict[str, list[tuple[str, int]]] = {facet: [] for facet in facets}
    for facet, value, number in rows:
        counted[str(facet)].append((str(value), int(number)))
    return {facet: _price_buckets(found) if facet == "price" else _value_buckets(found) for facet, found in counted.items()}


def _value_buckets(found: list[tuple[str, int]]) -> tuple[Bucket, ...]:
    spellings: dict[bytes, list[tuple[int, str]]] = {}
    for value, number in found:
        # Bytes have capitals in ASCII only, just as the filters' NOCASE has.
        spellings.setdefault(value.encode().lower(), []).append((-number, value))
    merged = ((sum(number for number, _ in same), folded, same) for folded, same in spellings.items())
    return tuple(Bucket(min(same)[1], -number) for number, _, same in nsmallest(FACET_VALUES, merged))


def _price_buckets(found: list[tuple[str, int]]) -> tuple[PriceBucket, ...]:
    bands = []
    for value, number in found:
        currency, _, bound = value.partition(" ")
        bands.append((currency, PRICE_BANDS.index(int(bound)), number))
    ends = (*PRICE_BANDS[1:], None)
    return tuple(PriceBucket(currency, PRICE_BANDS[band], ends[band], number) for currency, band, number in sorted(bands))
