"""A source's last syncs as a small picture: a bar each, as high as it was long, its kind told by shape and words as well as by colour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.controller.console.words import tell_duration, tell_sync

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.model import SyncRecord

SHOWN = 20
STEP, WIDTH, HEIGHT = 9, 6, 32
_LEAST = 3  # what took no time at all is still seen


@dataclass(frozen=True, slots=True)
class Bar:
    """One sync."""

    x: int
    y: float
    height: float
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class History:
    """The picture, and what it says in words."""

    bars: tuple[Bar, ...]
    summary: str

    @property
    def width(self) -> int:
        """How wide it is; the same for few syncs as for many."""
        return SHOWN * STEP


def draw_history(newest_first: Sequence[SyncRecord]) -> History:
    """Draw the syncs that have ended, the oldest at the left."""
    ended = [(sync, _took(sync)) for sync in reversed(newest_first[:SHOWN]) if sync.finished_at is not None]
    longest = max((took for _, took in ended), default=0) or 1
    offset = SHOWN - len(ended)
    bars = tuple(_bar(sync, took, took / longest, (offset + place) * STEP) for place, (sync, took) in enumerate(ended))
    return History(bars, _summarize(ended))


def _bar(sync: SyncRecord, took: float, share: float, x: int) -> Bar:
    height = round(_LEAST + (HEIGHT - 2 - _LEAST) * share, 1)
    word = tell_sync(sync.state)
    return Bar(x, HEIGHT - 1 - height, height, word.tone, f"Sync {sync.id}: {word.text}, {tell_duration(took)}")


def _summarize(ended: Sequence[tuple[SyncRecord, float]]) -> str:
    if not ended:
        return "No sync has ended yet"
    if len(ended) == 1:
        sync, took = ended[0]
        return f"The last sync: {tell_sync(sync.state).text}, {tell_duration(took)}"
    counts = Counter(tell_sync(sync.state).text for sync, _ in ended)
    told = ", ".join(f"{number} {word}" for word, number in counts.most_common())
    times = [took for _, took in ended]
    return f"The last {len(ended)} syncs: {told}; {tell_duration(min(times))} to {tell_duration(max(times))}"


def _took(sync: SyncRecord) -> float:
    if sync.started_at is None or sync.finished_at is None:
        return 0.0
    return max(0.0, (sync.finished_at - sync.started_at).total_seconds() * 1000)
