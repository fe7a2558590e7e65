"""What all processes of a machine know together about calling one source: breaker, pause, rate, retries, how calls went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


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
    moments, oldest first; ``durations_ms`` those of the last calls. ``tokens`` at ``tokens_at`` is the rate's bucket (None: full),
    ``retry_tokens`` the retry budget's. While ``probe_until`` lies ahead, the owner named in ``probe_owner`` is trying the shop.
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
    tokens: float | None = None
    tokens_at: float = 0.0
    retry_tokens: float | None = None
    calls: int = 0
    failures: int = 0
    durations_ms: tuple[int, ...] = ()
    last_error_type: str | None = None
    last_error: str | None = None
    last_error_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    """A guard's state as a person reads it at one moment."""

    breaker: BreakerState
    mode: BreakerMode
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
