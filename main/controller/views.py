"""What of a product a caller gets: the fields that were chosen, less those hidden from the caller's role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from main.service.errors import InvalidQuery
from main.service.model import FACETS, SORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from main.service.model import Query, Rejected, Role

_UNAVAILABLE = "is not available to you"
_SORTED_BY = {"price": "price", "-price": "price", "-rating": "rating", "-updated": "updated_at"}
# Parameters that tell something of a field: by counting hits, a filter gives any value away.
_FILTERED_BY = {
    "brand": "brand",
    "category": "category",
    "gtin": "gtin",
    "availability": "availability",
    "min_price": "price",
    "max_price": "price",
    "currency": "price",
    "min_rating": "rating",
}
_SEARCHED = {"brand", "category", "sku", "gtin", "description"}
_WITH = {"price": ("price", "price_range")}  # a range of prices says what a price is


@dataclass(frozen=True, slots=True)
class View:
    """Cuts documents down; ``chosen`` fields (none: all), less the ``hidden`` ones, in a product's variants too."""

    chosen: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Tell whether nothing is cut, so that stored documents can be given as they are."""
        return not self.chosen and not self.hidden

    def cut(self, product: Mapping[str, Any]) -> dict[str, Any]:
        """Give what is shown of a product."""
        kept = {name: product[name] for name in product if self._shows(name)}
        if self.hidden and "variants" in kept:
            kept["variants"] = [self._strip(variant) for variant in kept["variants"]]
        return kept

    def render(self, document: bytes) -> bytes:
        """Give what is shown of a stored document."""
        return document if self.whole else orjson.dumps(self.cut(orjson.loads(document)))

    def render_all(self, documents: Iterable[bytes]) -> Iterable[bytes]:
        """Give what is shown of stored documents."""
        return documents if self.whole else map(self.render, documents)

    def _shows(self, name: str) -> bool:
        return name not in self.hidden and (not self.chosen or name in self.chosen)

    def _strip(self, variant: Mapping[str, Any]) -> dict[str, Any]:
        return {name: variant[name] for name in variant if name not in self.hidden}


def hide_from(listed: Mapping[Role, Iterable[str]]) -> dict[Role, frozenset[str]]:
    """Give what each role may not see: what is listed for it and for the roles above it, and what would tell the same."""
    return {
        role: frozenset(
            told
            for above, fields in listed.items()
            if above.allows(role)
            for field in fields
            for told in _WITH.get(field, (field,))
        )
        for role in listed
    }


def refuse_hidden(query: Query, hidden: frozenset[str]) -> None:
    """Return when the query can be answered without telling anything of a hidden field.

    Raises:
        InvalidQuery: it sorts, filters, counts or searches by one; names the parameters.
    """
    if not hidden:
        return
    wrong = [name for name, field in _FILTERED_BY.items() if field in hidden and getattr(query, name) not in (None, ())]
    wrong += ["sort"] * (_SORTED_BY.get(query.sort) in hidden)
    wrong += ["facets"] * bool(hidden.intersection(query.facets))
    wrong += ["q"] * bool(query.terms and hidden & _SEARCHED)
    if wrong:
        raise InvalidQuery({name: [_UNAVAILABLE] for name in wrong})


def is_open(parameter: str, hidden: frozenset[str]) -> bool:
    """Tell whether a parameter may be used by whom these fields are hidden from: what :func:`refuse_hidden` refuses need not be offered."""
    return not hidden & _SEARCHED if parameter == "q" else _FILTERED_BY.get(parameter) not in hidden


def open_sorts(hidden: frozenset[str]) -> tuple[str, ...]:
    """Give the orders that tell nothing of a hidden field."""
    return tuple(sort for sort in SORTS if _SORTED_BY.get(sort) not in hidden)


def open_facets(hidden: frozenset[str]) -> tuple[str, ...]:
    """Give the facets that tell nothing of a hidden field."""
    return tuple(facet for facet in FACETS if facet not in hidden)


def cover_rejected(record: Rejected, hidden: frozenset[str]) -> dict[str, Any]:
    """Give a quarantined record as it may be shown: where fields are hidden, without the shop's own words, which may hold them."""
    known = {"position": record.position, "record_id": record.record_id, "faults": record.faults, "raw": record.raw}
    if not hidden:
        return known
    faults = [{"field": fault.field, "reason": _UNAVAILABLE} for fault in record.faults]
    return {**known, "faults": faults, "raw": None}
