"""How often somebody may ask, and what has been counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from main.service.model.source import Rate


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened in its window, and in how many seconds that window ends."""

    number: int = 0
    resets_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit by the name that callers see."""

    name: str
    rate: Rate

    @property
    def window(self) -> int:
        """How long a window is, in whole seconds."""
        return math.ceil(self.rate.period.total_seconds())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one more was allowed, how many more are, and in how many whole seconds all of them are again."""

    policy: Policy
    allowed: bool
    remaining: int
    resets_in: int
