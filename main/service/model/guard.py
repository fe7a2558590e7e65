"""What all processes of a machine know together about calling one source: breaker, pause, rate, retries, how calls went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    ``retry_tokens`` the retry budget's. While ``probe_until`` lies ahead, the owner named in ``probe_owner`` is trying the shop. Answers of the shop from before ``purged_at`` are not to be used any more.
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
    purged_at: float | None = None
