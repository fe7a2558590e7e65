"""The time, behind one door, so that tests can hold it still."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol

_MILLISECONDS = 10**11  # seconds reach that in the year 5138


class Clock(Protocol):
    """What anything that needs the time asks for."""

    def now(self) -> dt.datetime:
        """Give the wall-clock time, aware, in UTC."""

    def timestamp(self) -> float:
        """Give the wall-clock time as seconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Give seconds that never run backwards, for durations and deadlines."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """Give the wall-clock time, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def timestamp(self) -> float:
        """Give the wall-clock time as seconds since 1970, UTC."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Give seconds that never run backwards, for durations and deadlines."""
        return time.monotonic()


def isoformat(moment: dt.datetime) -> str:
    """Write an aware time as RFC 3339 in UTC, to the millisecond: ``2026-11-21T09:30:00.000Z``."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> dt.datetime:
    """Read an ISO 8601 time; one without an offset is taken as UTC.

    Raises:
        ValueError: the text is not an ISO 8601 time.
    """
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def read_epoch(number: int) -> dt.datetime | None:
    """Give the time of a Unix timestamp in seconds or milliseconds, or None where no such time is."""
    try:
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
