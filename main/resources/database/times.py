"""Times as the database keeps them: whole milliseconds since 1970, UTC."""

from __future__ import annotations

import datetime as dt
from typing import overload


def to_ms(moment: dt.datetime | None) -> int | None:
    """Write a time as milliseconds since 1970, UTC."""
    return None if moment is None else round(moment.timestamp() * 1000)


@overload
def from_ms(value: int) -> dt.datetime: ...


@overload
def from_ms(value: int | None) -> dt.datetime | None: ...


def from_ms(value: int | None) -> dt.datetime | None:
    """Read a time back."""
    return None if value is None else dt.datetime.fromtimestamp(value / 1000, dt.UTC)
