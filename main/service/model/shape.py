"""What a shop's records look like: which fields they have, of which types, and how that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field: in how many records it was seen, and with which JSON types."""

    records: int
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shape:
    """The first records of a crawl: how many were looked at, and their fields by dotted path."""

    records: int
    fields: Mapping[str, FieldShape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How the records of a crawl differ from the last good shape: names of fields."""

    seen_at: dt.datetime
    new: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
