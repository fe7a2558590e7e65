"""Cache entries of live looks, and what may still be done with one: RFC 5861's stale-while-revalidate and stale-if-error."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from main.service.model import LiveRules

LAYOUT = 1  # raise it when an entry's form changes: what was kept before is then a miss


class Verdict(Enum):
    """What a kept answer is good for."""

    FRESH = auto()
    REVALIDATE = auto()  # stale-while-revalidate: served at once, and asked for again
    RESCUE = auto()  # stale-if-error: served where the shop gives no answer
    MISS = auto()


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One kept answer: when the shop was asked (seconds since 1970) and what it said (empty: nothing), or why that is no product.

    ``gone`` is true where the shop said that it has no such product.
    """

    v: int
    at: float
    figures: msgspec.Raw = msgspec.Raw()
    fault: str | None = None
    gone: bool = False


_decode = msgspec.json.Decoder(Entry).decode
_encode = msgspec.json.Encoder().encode


def make_entry(at: float, figures: bytes | None, fault: str | None = None, *, gone: bool = False) -> Entry:
    """Give what a shop said at a moment: the figures of a product, or why there are none."""
    return Entry(LAYOUT, at, fault=fault, gone=gone) if figures is None else Entry(LAYOUT, at, msgspec.Raw(figures))


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


def judge(entry: Entry, now: float, rules: LiveRules) -> Verdict:
    """Decide what an answer is still good for; a moment that lies a little ahead, as clocks differ, counts as now."""
    age = max(0.0, now - entry.at)
    fresh = rules.fresh.total_seconds()
    if age <= fresh:
        return Verdict.FRESH
    if entry.fault is not None:
        return Verdict.MISS
    if age <= fresh + rules.revalidate.total_seconds():
        return Verdict.REVALIDATE
    return Verdict.RESCUE if age <= rules.max_stale.total_seconds() else Verdict.MISS
