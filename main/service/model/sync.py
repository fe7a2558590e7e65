"""Syncs: how a crawl ended, and the record of each from its request or start on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from main.service.model.shape import Drift, Shape


class Outcome(StrEnum):
    """How a sync ended. A held crawl shrank and waits for a second one; one that was held back could make no call."""

    OK = "ok"
    FAILED = "failed"
    HELD = "held"
    HELD_BACK = "held_back"
    STOPPED = "stopped"
    BUSY = "busy"


class SyncState(StrEnum):
    """Where a sync is: asked for, under way, or how it ended."""

    REQUESTED = "requested"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    HELD = "held"
    HELD_BACK = "held_back"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What one crawl of one source came to; ``id`` names its record, where it has one already."""

    source: str
    outcome: Outcome
    started_at: dt.datetime
    finished_at: dt.datetime
    id: int | None = None
    products: int = 0
    rejected: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    pages: int = 0
    received: int = 0
    total: int | None = None
    error_type: str | None = None
    error: str | None = None
    version: int | None = None
    retry_after: float | None = None
    shape: Shape | None = None
    drift: Drift | None = None

    @property
    def duration_ms(self) -> int:
        """How long the crawl took, in milliseconds."""
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRecord:
    """One sync as the store keeps it; ``note`` is for the reader and is not stored."""

    id: int
    source: str
    state: SyncState
    force: bool = False
    requested_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    pages: int = 0
    received: int = 0
    total: int | None = None
    products: int = 0
    rejected: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    error_type: str | None = None
    error: str | None = None
    version: int | None = None
    note: str | None = None
