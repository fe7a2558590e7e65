"""Decides how a source stands, from what is configured, what is known and what time it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service.model import BreakerState, Outcome, Source, SourceRecord, SourceStatus, State
from main.service.switch import apply_switch

if TYPE_CHECKING:
    import datetime as dt

    from main.service.model import GuardState

_THROTTLED = {"UpstreamThrottled", "UpstreamPaused"}


def decide(source: Source, record: SourceRecord | None, now: dt.datetime, guard: GuardState | None = None) -> SourceStatus:
    """Give a source's state: whether it may be called, what it is doing, how its last attempt ended, the age of its snapshot.

    The status has the source with its switch as ``guard`` has it: a person's comes before the settings.
    """
    source = source if guard is None else apply_switch(source, guard)
    record = record or SourceRecord(name=source.name)
    age = None if record.synced_at is None else max(0, int((now - record.synced_at).total_seconds()))
    young = age is not None and age <= source.fresh_for.total_seconds()
    state = _withheld(source, guard, now) or _state(record, now, young=young)
    current = young and record.outcome not in {Outcome.FAILED, Outcome.HELD}
    return SourceStatus(source, record, state, current, age)


def _withheld(source: Source, guard: GuardState | None, now: dt.datetime) -> State | None:
    """Give the state of a source that is not called at all right now."""
    if not source.enabled:
        return State.DISABLED
    if guard is None:
        return None
    seconds = now.timestamp()
    if guard.breaker(seconds) is BreakerState.OPEN:
        return State.OPEN
    return State.RATE_LIMITED if guard.paused_for(seconds) else None


def _state(record: SourceRecord, now: dt.datetime, *, young: bool) -> State:
    if record.lease_until is not None and record.lease_until > now:
        return State.SYNCING
    if record.outcome in {Outcome.FAILED, Outcome.HELD}:
        return State.RATE_LIMITED if record.error_type in _THROTTLED else State.ERROR
    return State.FRESH if young else State.STALE
