"""Reads a source's guard for people: what its breaker does, how calls went, what went wrong last."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from main.service.model import BreakerMode, BreakerState, GuardView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.model import GuardState


def describe(state: GuardState, now: float) -> GuardView:
    """Give what can be told of a guard at this moment (seconds since 1970).

    ``next_probe_at`` is known only while the breaker itself holds calls back; half open, the next call is the probe.
    """
    breaker = state.breaker(now)
    probed = breaker is BreakerState.OPEN and state.mode is BreakerMode.AUTO
    return GuardView(
        state=breaker,
        mode=state.mode,
        enabled=state.enabled,
        next_probe_at=_moment(state.open_until) if probed else None,
        paused_until=_moment(state.paused_until) if state.paused_for(now) else None,
        calls=state.calls,
        failures=state.failures,
        failures_in_row=state.failures_in_row,
        times_opened=state.times_opened,
        p50_ms=_percentile(state.durations_ms, 50),
        p95_ms=_percentile(state.durations_ms, 95),
        last_error_type=state.last_error_type,
        last_error=state.last_error,
        last_error_at=_moment(state.last_error_at),
    )


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


def _percentile(values: Sequence[int], percent: int) -> int | None:
    """Give the smallest value that so many percent of all do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[-(-len(ranked) * percent // 100) - 1] if ranked else None
