"""What all processes of a machine know together about calling one source: breaker, pause, rate, retries, how calls went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

# Seconds: the breaker's longest wait, a pause of 60, and one to spare. An end that lies farther ahead was written before the
# clock was set back, and counts no more.
_FARTHEST = 61.0
_AHEAD = 5.0  # seconds by which clocks of machines may differ; what lies farther ahead is from before a clock was set back


class BreakerMode(StrEnum):
    """Who decides whether calls go through: the breaker itself, or a person."""

    AUTO = "auto"
    FORCED_OPEN = "forced_open"
    CLOSED = "closed"


class BreakerState(StrEnum):
    """Whether calls go through (closed), none does (open), or one may try (half_open)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardState:
    """The state of one source's guard; times are seconds since 1970, durations seconds unless the name says otherwise.

    ``enabled`` is a person's switch, None where the settings decide. ``buckets`` are (second, calls, failures) of the last
    moments, oldest first; ``durations_ms`` those of the last calls. ``begun`` are (time, calls) of the calls that count against the
    rate, ``retry_tokens`` what the retry budget holds (None: full). While ``probe_until`` lies ahead, the owner named in
    ``probe_owner`` is trying the shop. Answers of the shop from before ``purged_at`` are not to be used any more.
    """

    mode: BreakerMode = BreakerMode.AUTO
    enabled: bool | None = None
    failures_in_row: int = 0
    buckets: tuple[tuple[int, int, int], ...] = ()
    opened_at: float | None = None
    open_until: float | None = None
    times_opened: int = 0
    probe_owner: str | None = None
    probe_until: float | None = None
    paused_until: float | None = None
    begun: tuple[tuple[float, int], ...] = ()
    retry_tokens: float | None = None
    calls: int = 0
    failures: int = 0
    durations_ms: tuple[int, ...] = ()
    last_error_type: str | None = None
    last_error: str | None = None
    last_error_at: float | None = None
    purged_at: float | None = None

    def breaker(self, now: float) -> BreakerState:
        """Give where the breaker stands; a person's word comes before its own."""
        if self.mode is not BreakerMode.AUTO:
            return BreakerState.OPEN if self.mode is BreakerMode.FORCED_OPEN else BreakerState.CLOSED
        if self.opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.open_for(now) else BreakerState.HALF_OPEN

    def open_for(self, now: float) -> float:
        """Give how long the breaker itself lets nobody through yet."""
        return _left(self.open_until, now)

    def probed_for(self, now: float) -> float:
        """Give how long the call that tries the shop may still take."""
        return _left(self.probe_until, now)

    def has_voided(self, at: float, now: float) -> bool:
        """Tell whether what the shop was asked at a moment may not be used: it is from before a purge, or from a clock set back since."""
        return at > now + _AHEAD or (self.purged_at is not None and at <= self.purged_at <= now + _AHEAD)

    def paused_for(self, now: float) -> float:
        """Give how long the shop wants to be left alone yet."""
        return _left(self.paused_until, now)


def _left(until: float | None, now: float) -> float:
    left = 0.0 if until is None else until - now
    return left if 0 < left <= _FARTHEST else 0.0


@dataclass(frozen=True, slots=True)
class Switch:
    """What people decide of a source, as it stands: its breaker's mode, and whether it takes part."""

    mode: BreakerMode
    enabled: bool

    @property
    def tag(self) -> str:
        """Give it in a word that can be read and written by hand, such as ``auto-on``."""
        return f"{self.mode}-{'on' if self.enabled else 'off'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    """What a person is shown of a source's guard; ``enabled`` is None where no person has switched it."""

    state: BreakerState
    mode: BreakerMode
    enabled: bool | None
    next_probe_at: dt.datetime | None
    paused_until: dt.datetime | None
    calls: int
    failures: int
    failures_in_row: int
    times_opened: int
    p50_ms: int | None
    p95_ms: int | None
    last_error_type: str | None
    last_error: str | None
    last_error_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardChange:
    """What a person wants of a guard: a breaker's mode where one is given, and a switch where ``sets_enabled`` says so."""

    mode: BreakerMode | None = None
    sets_enabled: bool = False
    enabled: bool | None = None
