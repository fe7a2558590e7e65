"""What this installation is, how long it runs and whether it can work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.service.model import State
from main.util.metrics import COUNTERS, TIMINGS, Timing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from main.service.lifecycle import ComponentState, Lifecycle
    from main.service.model import Platform, SourceStatus
    from main.service.sources import SourceService
    from main.util.clock import Clock


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this installation is."""

    id: str
    name: str
    description: str
    version: str


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture."""

    identity: Identity
    start_time: dt.datetime
    current_time: dt.datetime
    components: list[ComponentState]
    timings: Mapping[str, Timing]
    counters: Mapping[str, int]

    @property
    def uptime_s(self) -> float:
        """How long this process runs, in seconds."""
        return round((self.current_time - self.start_time).total_seconds(), 3)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be served, and what stands in the way."""

    ready: bool
    components: list[ComponentState]
    waiting: list[str]


class StatusService:
    """Answers for the process as a whole."""

    def __init__(
        self, identity: Identity, platform: Platform, lifecycle: Lifecycle, sources: SourceService, clock: Clock
    ) -> None:
        self.identity = identity
        self.platform = platform
        self._lifecycle = lifecycle
        self._sources = sources
        self._clock = clock
        self._started = clock.now()

    def now(self) -> dt.datetime:
        """Give the current time, UTC."""
        return self._clock.now()

    def describe(self) -> Status:
        """Give the whole picture."""
        components = self._lifecycle.ping()
        return Status(self.identity, self._started, self.now(), components, TIMINGS.snapshot(), COUNTERS.snapshot())

    def check_ready(self) -> Readiness:
        """Tell whether every essential component works and every enabled source has a snapshot or had its first try."""
        components = self._lifecycle.ping()
        if not all(component.up for component in components if component.essential):
            return Readiness(ready=False, components=components, waiting=[])
        waiting = [status.source.name for status in self._sources.find_all() if _is_waiting(status)]
        return Readiness(ready=not waiting, components=components, waiting=waiting)


def _is_waiting(status: SourceStatus) -> bool:
    return status.state is not State.DISABLED and status.record.synced_at is None and status.record.attempted_at is None
