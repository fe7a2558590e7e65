"""Answers of live looks as they are kept in the caches, and what may still be done with one."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from main.service.model import LiveRules

_FARTHEST = 5.0  # seconds by which clocks of machines may differ; what lies farther ahead is from before a clock was set back
LAYOUT = 1  # raise it when an entry's form changes: what was kept before is then a miss


class Verdict(Enum):
    """What a kept answer is good for."""

    FRESH = auto()
    REVALIDATE = auto()
    RESCUE = auto()
    MISS = auto()


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One kept answer: when the shop was asked (seconds since 1970) and what it said (empty: nothing), or why that is no product."""

    v: int
    at: float
    figures: msgspec.Raw = msgspec.Raw()
    fault: str | None = None


_decode = msgspec.json.Decoder(Entry).decode
_encode = msgspec.json.Encoder().encode


def make_entry(at: float, figures: bytes | None, fault: str | None = None) -> Entry:
    """Give what a shop said at a moment: the figures of a product, or why there are none."""
    return Entry(LAYOUT, at, fault=fault) if figures is None else Entry(LAYOUT, at, msgspec.Raw(figures))


def write_entry(entry: Entry) -> bytes:
    """Give an answer's form in the caches."""
    return _encode(entry)


def read_entry(kept: bytes | None) -> Entry | None:
    """Read an answer back; what is damaged, or of another version, is none."""
    if kept is None:
        return None
    try:
        entry = _decode(kept)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return entry if entry.v == LAYOUT else None


def is_purged(at: float, now: float, purged_at: float | None) -> bool:
    """Tell whether what a shop was asked at a moment is from before a purge."""
    return purged_at is not None and at <= purged_at <= now + _FARTHEST


def judge(entry: Entry | None, now: float, purged_at: float | None, rules: LiveRules) -> Verdict:
    """Decide what an answer is still good for; a moment that lies a little ahead, as clocks differ, counts as now."""
    if entry is None or entry.at > now + _FARTHEST or is_purged(entry.at, now, purged_at):
        return Verdict.MISS
    age = max(0.0, now - entry.at)
    fresh = rules.fresh.total_seconds()
    if age <= fresh:
        return Verdict.FRESH
    if entry.fault is not None:
        return Verdict.MISS
    if age <= fresh + rules.revalidate.total_seconds():
        return Verdict.REVALIDATE
    return Verdict.RESCUE if age <= rules.max_stale.total_seconds() else Verdict.MISS
