"""How a shop's JSON API is described by settings alone: how its list pages, and where each field is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a list goes on. ``total``, ``cursor`` and ``next`` are JMESPath; ``where`` is query or body (None: as the call is made)."""

    style: str = "none"
    param: str | None = None
    size_param: str | None = None
    size: int | None = None
    first: int = 1
    total: str | None = None
    cursor: str | None = None
    next: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The call for a list: GET, or POST when there is a body; ``items`` is JMESPath to the records."""

    path: str = ""
    items: str = "@"
    params: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold a key
    body: Mapping[str, Any] | None = field(default=None, repr=False)  # the same
    page: Paging = Paging()


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where one of our fields is in a record; for prices also how amounts are written."""

    path: str
    unit: str = "major"
    decimal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """Where our fields are in a record, and in each of its variants, of which ``variants`` is JMESPath to the list."""

    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    variants: str | None = None
    variant_fields: Mapping[str, FieldRule] = field(default_factory=dict)
