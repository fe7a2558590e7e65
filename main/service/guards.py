"""A source's guard as a person reads it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from main.service.model import BreakerMode, BreakerState, GuardView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.model import GuardState


def describe(state: GuardState, now: float) -> GuardView:
    """Give what a guard does at this moment (seconds since 1970) and how its calls went."""
    breaker = _breaker(state, now)
    probing = state.mode is BreakerMode.AUTO and breaker is BreakerState.OPEN
    paused = state.paused_until if state.paused_until is not None and state.paused_until > now else None
    durations = sorted(state.durations_ms)
    return GuardView(
        breaker=breaker,
        mode=state.mode,
        next_probe_at=_moment(state.open_until) if probing else None,
        paused_until=_moment(paused),
        calls=state.calls,
        failures=state.failures,
        failures_in_row=state.failures_in_row,
        times_opened=state.times_opened,
        p50_ms=_percentile(durations, 50),
        p95_ms=_percentile(durations, 95),
        last_error_type=state.last_error_type,
        last_error=state.last_error,
        last_error_at=_moment(state.last_error_at),
    )


def _breaker(state: GuardState, now: float) -> BreakerState:
    if state.mode is BreakerMode.FORCED_OPEN:
        return BreakerState.OPEN
    if state.mode is BreakerMode.CLOSED or state.open_until is None:
        return BreakerState.CLOSED
    return BreakerState.OPEN if state.open_until > now else BreakerState.HALF_OPEN


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Give the nearest rank: the smallest value that this share of all does not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
