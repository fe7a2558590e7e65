"""Live looks: what is asked of a shop about single products right now, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
    ``age_s`` is how many seconds ago what is shown was confirmed by the shop (None: at the source's last sync); ``reason`` says
    in words why it is not live. ``joined`` is true where another request's call was waited for, ``gone`` where the shop has no such
    product any more.
    """

    state: LookState
    age_s: float | None = None
    figures: bytes | None = None
    reason: str | None = None
    joined: bool = False
    gone: bool = False

    @property
    def confirmed(self) -> bool:
        """Tell whether the shop has said so, now or a moment ago."""
        return self.state in {LookState.LIVE, LookState.CACHED}

    @property
    def answered(self) -> bool:
        """Tell whether the shop is heard: the figures are its own, however old, or it has said that the product is gone."""
        return self.confirmed or self.gone or self.state is LookState.STALE


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRules:
    """How long a live look may take, and for how long its answer is good.

    Until ``fresh`` it is served as it is; for ``revalidate`` more it is served at once while the shop is asked again behind the
    caller's back (stale-while-revalidate of RFC 5861); until ``max_stale`` after it was confirmed it steps in when the shop does
    not answer (stale-if-error).
    """

    deadline: timedelta = timedelta(milliseconds=800)
    max_deadline: timedelta = timedelta(seconds=5)
    fresh: timedelta = timedelta(seconds=5)
    revalidate: timedelta = timedelta(seconds=30)
    max_stale: timedelta = timedelta(minutes=10)
