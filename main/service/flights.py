"""Products that are being looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from main.service.fanout import Promise
from main.service.model import Look, LookState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from main.service.lookup import Entry
    from main.service.model import Wanted

LATE = "The shop did not answer in time."


@dataclass(slots=True, eq=False)
class Flight:
    """One product being looked at: whoever asks meanwhile waits for the same answer, and nobody after ``give_up`` (monotonic).

    ``boarded_at`` (seconds since 1970) is when it was first asked for. ``refresh`` marks a look that nobody waits for: an old answer was served already. ``rescue`` is what steps in when it fails,
    by ``stand_in``.
    It is ``over`` when nothing more is done about it, which may be after it has landed.
    """

    stand_in: Callable[[Flight, LookState, str | None], Look]
    wanted: Wanted
    key: str
    give_up: float
    boarded_at: float
    refresh: bool = False
    rescue: Entry | None = None
    landed: Promise[Look] = field(default_factory=Promise)
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
    parts: tuple[list[Flight], list[Flight]] = [], []
    for flight in flights:
        parts[flight.refresh].append(flight)
    return parts
