"""How a crawl ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


class Outcome(StrEnum):
    """How a sync ended. A held crawl shrank and waits for a second one; one that was held back could make no call."""

    OK = "ok"
    FAILED = "failed"
    HELD = "held"
    HELD_BACK = "held_back"
    STOPPED = "stopped"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What one crawl of one source came to."""

    source: str
    outcome: Outcome
    started_at: dt.datetime
    finished_at: dt.datetime
    products: int = 0
    rejected: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    pages: int = 0
    error_type: str | None = None
    error: str | None = None
    version: int | None = None
    retry_after: float | None = None

    @property
    def duration_ms(self) -> int:
        """How long the crawl took, in milliseconds."""
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
