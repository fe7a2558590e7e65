"""Decides how a source stands, from what is configured, what is known and what time it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service.model import Outcome, Source, SourceRecord, SourceStatus, State

if TYPE_CHECKING:
    import datetime as dt

_THROTTLED = "UpstreamThrottled"


def decide(source: Source, record: SourceRecord | None, now: dt.datetime) -> SourceStatus:
    """Give a source's state: what it is doing first, then how its last attempt ended, then the age of its snapshot."""
    record = record or SourceRecord(name=source.name)
    age = None if record.synced_at is None else max(0, int((now - record.synced_at).total_seconds()))
    young = age is not None and age <= source.fresh_for.total_seconds()
    state = _state(source, record, now, young=young)
    current = young and record.outcome not in {Outcome.FAILED, Outcome.HELD}
    return SourceStatus(source, record, state, current, age)


def _state(source: Source, record: SourceRecord, now: dt.datetime, *, young: bool) -> State:
    if not source.enabled:
        return State.DISABLED
    if record.lease_until is not None and record.lease_until > now:
        return State.SYNCING
    if record.outcome in {Outcome.FAILED, Outcome.HELD}:
        return State.RATE_LIMITED if record.error_type == _THROTTLED else State.ERROR
    return State.FRESH if young else State.STALE
