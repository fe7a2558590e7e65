"""Live looks: what is asked of a shop about single products right now, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LookState(StrEnum):
    """How far a product's price and stock are confirmed."""

    LIVE = "live"
    CACHED = "cached"
    STALE = "stale"
    TIMEOUT = "timeout"
    ERROR = "error"
    OPEN = "open"
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product that a shop is asked about: the shop's own id, and the product's page where the catalogue knows it."""

    source_id: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at one product.

    ``figures`` are the members to lay over the product's stored document, as a JSON object (None where the stored ones stay);
    ``age_s`` is how many seconds ago what is shown was confirmed by the shop; ``reason`` says in words why it is not live.
    """

    state: LookState
    age_s: float | None = None
    figures: bytes | None = None
    reason: str | None = None
