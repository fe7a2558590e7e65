"""Products that are being looked at, each asked for once at a time however many want to know (single flight)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from main.service.errors import AisleError, UpstreamOpen, UpstreamPaused, UpstreamThrottled, UpstreamTimeout
from main.service.fanout import Promise
from main.service.model import Look, LookState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from main.service.lookentry import Entry
    from main.service.model import Wanted

LATE = "The shop did not answer in time."
_SHARE = 0.25  # of the time that is left: so much of it a slow cache may take at each of its steps, and the rest is the shop's
_LEAST = 0.05  # seconds it may take in any case: who skips it for less makes a call that another process may be making


@dataclass(slots=True, eq=False)
class Flight:
    """One product being looked at: whoever asks meanwhile waits for the same answer, and nobody after ``give_up`` (monotonic).

    ``boarded_at`` (seconds since 1970) is when it was first asked for. ``refresh`` marks a look that nobody waits for: an old answer
    was served already. ``rescue`` is the old answer, if there is one, and ``stand_in`` makes a look of it, or tells why there is none.
    It has ``begun`` once it has a place among the calls to its shop. It is ``over`` when nothing more is done about it, which may be
    after it has landed.
    """

    stand_in: Callable[[Flight, LookState, str | None], Look]
    wanted: Wanted
    key: str
    give_up: float
    boarded_at: float
    refresh: bool = False
    rescue: Entry | None = None
    landed: Promise[Look] = field(default_factory=Promise)
    begun: bool = False
    over: bool = False

    def finish(self) -> Look:
        """Give what came of it by now, or what may stand in for it."""
        if self.landed.kept and (self.over or self.rescue is None):
            return self.landed.answer
        # What was served early has aged since, and may have been purged.
        return self.stand_in(self, LookState.TIMEOUT, None if self.landed.kept else LATE)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request's part in a flight; ``joined`` where the flight was under way already."""

    flight: Flight
    joined: bool

    @property
    def landed(self) -> Promise[Look]:
        """The answer that is waited for."""
        return self.flight.landed

    def finish(self) -> Look:
        """Give what came of it by now, or what may stand in for it."""
        look = self.flight.finish()
        return replace(look, joined=True) if self.joined and look.state is LookState.LIVE else look


def part(flights: Sequence[Flight]) -> tuple[list[Flight], list[Flight]]:
    """Part those that somebody waits for from the others, in one look at each: it may change from the one to the other meanwhile."""
    waited: list[Flight] = []
    renewals: list[Flight] = []
    for flight in flights:
        (renewals if flight.refresh else waited).append(flight)
    return waited, renewals


def cache_until(flights: Sequence[Flight]) -> float:
    """Give until when (monotonic) the shared cache may be asked about one flight after the other, before the shop has to be."""
    now = time.monotonic()
    left = [flight.give_up - now for flight in flights if not flight.refresh and flight.give_up > now]
    return now + max(_LEAST, _SHARE * min(left)) if left else math.inf


def state_of(error: AisleError) -> LookState:
    """Give how a look is told that ended so."""
    if isinstance(error, UpstreamOpen):
        return LookState.OPEN
    if isinstance(error, UpstreamPaused | UpstreamThrottled):
        return LookState.RATE_LIMITED
    return LookState.TIMEOUT if isinstance(error, UpstreamTimeout) else LookState.ERROR
