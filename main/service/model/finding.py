"""What a machine finds wrong with the catalogue, and by which rules it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from main.service.model.task import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRules:
    """Which rules make tasks; ``price_spread`` is by how many percent a price may differ, None for whatever it likes."""

    quarantine: bool = True
    stale_source: bool = True
    missing_image: bool = True
    missing_description: bool = True
    mismatch: bool = True
    price_spread: int | None = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong; ``cause`` names it, so that it is the same finding as long as it is the same fault."""

    kind: TaskKind
    cause: str
    title: str
    short_description: str = ""
    product: str | None = None
    priority: int = 3


@dataclass(frozen=True, slots=True)
class Flaw:
    """A product that lacks a picture, a description or both."""

    product: str
    name: str
    image: bool
    description: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A product that another source has as well, by its GTIN; ``price`` is nominal, in 1/10,000 of the currency's unit."""

    product: str
    source: str
    gtin: str
    brand: str | None = None
    currency: str | None = None
    price: int | None = None
