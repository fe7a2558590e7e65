"""How pages say things: spans of time, sizes, states; filters and tests of the templates."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import orjson

from main.service.model import Availability, LookState, Resolution, State, SyncState, TaskKind, TaskStatus
from main.util.clock import isoformat

if TYPE_CHECKING:
    import datetime as dt

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LONG = 2  # of a unit: before that the smaller one says more
_SIZES = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))
_SECOND = 1000  # milliseconds
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Word(NamedTuple):
    """A word for a state, and its tone: good, wait, bad or off. The tone is never all that tells them apart."""

    text: str
    tone: str


_STATES = {
    State.FRESH: Word("fresh", "good"),
    State.STALE: Word("stale", "wait"),
    State.SYNCING: Word("syncing", "wait"),
    State.ERROR: Word("error", "bad"),
    State.OPEN: Word("breaker open", "bad"),
    State.RATE_LIMITED: Word("rate limited", "wait"),
    State.DISABLED: Word("switched off", "off"),
}
_LOOKS = {
    LookState.LIVE: Word("live", "good"),
    LookState.CACHED: Word("confirmed a moment ago", "good"),
    LookState.STALE: Word("confirmed a while ago", "wait"),
    LookState.TIMEOUT: Word("no answer in time", "bad"),
    LookState.ERROR: Word("no answer", "bad"),
    LookState.OPEN: Word("not asked: its breaker is open", "bad"),
    LookState.RATE_LIMITED: Word("not asked: rate limited", "wait"),
}
_SYNCS = {
    SyncState.REQUESTED: Word("asked for", "wait"),
    SyncState.RUNNING: Word("running", "wait"),
    SyncState.OK: Word("ok", "good"),
    SyncState.FAILED: Word("failed", "bad"),
    SyncState.HELD: Word("held", "wait"),
    SyncState.HELD_BACK: Word("held back", "wait"),
    SyncState.STOPPED: Word("stopped", "off"),
}
STATUSES = {
    TaskStatus.OPEN: Word("open", "wait"),
    TaskStatus.DOING: Word("under way", "wait"),
    TaskStatus.DONE: Word("done", "good"),
}
RESOLUTIONS = {Resolution.FIXED: "fixed", Resolution.WONT_FIX: "won't fix"}
KINDS = {
    TaskKind.MANUAL: "by hand",
    TaskKind.QUARANTINE: "in quarantine",
    TaskKind.PRICE_SPREAD: "price far from others",
    TaskKind.MISSING_IMAGE: "no image",
    TaskKind.MISSING_DESCRIPTION: "no description",
    TaskKind.MISMATCH: "same article, other brand",
    TaskKind.STALE_SOURCE: "stale source",
}
_TO_BE_HAD = {Availability.IN_STOCK, Availability.IN_STORE_ONLY, Availability.LIMITED, Availability.ONLINE_ONLY}
_NOT_TO_BE_HAD = {Availability.OUT_OF_STOCK, Availability.SOLD_OUT, Availability.DISCONTINUED}


def tell_state(state: State) -> Word:
    """Give the word for how a source stands."""
    return _STATES[state]


def tell_look(state: str) -> Word:
    """Give the word for how far a product's price and stock are confirmed."""
    return _LOOKS[LookState(state)]


def tell_sync(state: SyncState) -> Word:
    """Give the word for where a sync is."""
    return _SYNCS[state]


def tell_task(status: TaskStatus, resolution: Resolution | None) -> Word:
    """Give the word for how far a task is, or for how it ended."""
    return Word(RESOLUTIONS[resolution], "off") if resolution is Resolution.WONT_FIX else STATUSES[status]


def tell_kind(kind: TaskKind) -> str:
    """Give the words for what a task is about."""
    return KINDS[kind]


@cache
def tell_availability(word: str) -> Word:
    """Give a word of schema.org/ItemAvailability as people write it: ``In stock``."""
    tone = "good" if word in _TO_BE_HAD else "bad" if word in _NOT_TO_BE_HAD else "wait"
    return Word(_HUMP.sub(" ", word).capitalize(), tone)


def tell_span(seconds: float) -> str:
    """Give a span of time in its largest unit that still tells something: ``42 s``, ``3 min``, ``5 h``, ``2 days``."""
    seconds = max(0, int(seconds))
    if seconds < _LONG * _MINUTE:
        return f"{seconds} s"
    if seconds < _LONG * _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _LONG * _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} days"


def tell_distance(moment: dt.datetime, now: dt.datetime) -> str:
    """Give how far away a moment is: ``3 min ago``, ``in 40 s``, ``now``."""
    seconds = round((moment - now).total_seconds())
    if seconds == 0:
        return "now"
    return f"in {tell_span(seconds)}" if seconds > 0 else f"{tell_span(-seconds)} ago"


def tell_duration(milliseconds: float) -> str:
    """Give how long something took: ``310 ms``, ``4.2 s``, ``3 min``."""
    if milliseconds < _SECOND:
        return f"{round(milliseconds)} ms"
    seconds = milliseconds / _SECOND
    return f"{seconds:.1f} s" if seconds < _LONG * _MINUTE else tell_span(seconds)


def tell_size(size: int) -> str:
    """Give a number of bytes in its largest unit: ``8 MiB``."""
    name, unit = next(((name, unit) for name, unit in _SIZES if size >= unit), ("B", 1))
    return f"{size / unit:g} {name}"


def tell_number(number: int) -> str:
    """Give a whole number with its thousands apart: ``12,345``."""
    return f"{number:,}"


def spread_record(raw: str) -> str:
    """Give a record one field a line; one that was cut, or is no JSON, as it came."""
    try:
        return orjson.dumps(orjson.loads(raw), option=orjson.OPT_INDENT_2).decode()
    except ValueError:
        return raw


FILTERS = {
    "state": tell_state,
    "look": tell_look,
    "sync": tell_sync,
    "availability": tell_availability,
    "task": tell_task,
    "kind": tell_kind,
    "span": tell_span,
    "distance": tell_distance,
    "duration": tell_duration,
    "number": tell_number,
    "utc": isoformat,
    "record": spread_record,
}
