"""How a shop's JSON API is described by settings alone: how its list pages, and where each field is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a list goes on. ``total``, ``more``, ``cursor`` and ``next`` are JMESPath; ``where`` is query or body (None: as the call is made)."""

    style: str = "none"
    param: str | None = None
    size_param: str | None = None
    size: int | None = None
    first: int = 1
    total: str | None = None
    more: str | None = None
    cursor: str | None = None
    cursor_header: str | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCall:
    """The call for single products: GET, or POST when there is a body; ``record`` is JMESPath to the record, or to a list of them.

    ``{id}`` in path, params and body stands for the product's id, ``{ids}`` for up to ``size`` of them.
    """

    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold a key
    body: Mapping[str, Any] | None = field(default=None, repr=False)  # the same
    record: str = "@"
    size: int = 1


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where one of our fields is in a record; for prices also how amounts are written."""

    path: str
    unit: str = "major"
    decimal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """Where our fields are in a record, and in each of its variants, of which ``variants`` is JMESPath to the list.

    ``options`` is JMESPath by the option's name, or one that finds all options of a variant.
    """

    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    variants: str | None = None
    variant_fields: Mapping[str, FieldRule] = field(default_factory=dict)
    options: Mapping[str, str] | str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """What became of a described field that the product lacks; ``found`` is false where the expression finds nothing."""

    field: str
    text: str
    found: bool = True
