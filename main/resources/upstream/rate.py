"""Keeps calls to a shop within the rate its settings allow, as pure decisions on what is known of the calls begun.

A sliding log: a call may begin when the call ``rate.calls`` before it is a whole period old, so no more than ``rate.calls`` ever begin
in any period (a plain token bucket allows nearly twice that across a refill). To keep the log small, a rate of more than 64 calls
counts the calls of one 64th of the period as one entry at the time of the last of them: late by that much at most, never early.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from main.service.model import Rate

    Begun = tuple[tuple[float, int], ...]

_ENTRIES = 64
_FARTHEST = 300.0  # nobody waits that long for a turn: what lies farther ahead was written before the clock was set back
_UNITS = {1: "s", 60: "m", 3600: "h", 86400: "d"}


def next_turn(begun: Begun, rate: Rate | None, now: float) -> float:
    """Give when the next call may begin: now, or the moment an earlier one is a period old."""
    if rate is None:
        return now
    counted = 0
    for time, calls in reversed(begun):
        counted += calls if time <= now + _FARTHEST else 0
        if counted >= rate.calls:
            return max(now, time + rate.period.total_seconds())
    return now


def take_turn(begun: Begun, rate: Rate, turn: float, now: float) -> Begun:
    """Give the log with a call that begins at ``turn``, without what counts no more now."""
    period = rate.period.total_seconds()
    kept = [entry for entry in begun if now - period < entry[0] <= now + _FARTHEST]
    last, calls = kept[-1] if kept else (0.0, 0)
    time, part = max(turn, last), period / _ENTRIES
    if kept and rate.calls > _ENTRIES and time // part == last // part:
        return (*kept[:-1], (time, calls + 1))
    return (*kept, (time, 1))


def describe_rate(rate: Rate) -> str:
    """Write a rate as the settings do: ``10/s``."""
    seconds = rate.period.total_seconds()
    return f"{rate.calls}/{_UNITS.get(int(seconds), f'{seconds:g}s') if seconds >= 1 else f'{seconds:g}s'}"
