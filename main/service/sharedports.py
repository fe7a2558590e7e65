"""What the services need that all workers share beside the store's tables: counters and kept answers, as protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt

    from main.service.model import Begun, Claim, Count, Reply


class HitCounters(Protocol):
    """Numbers by key that all workers share, each for a window that begins with the first count. No method raises: what cannot be counted is 0."""

    def add(self, key: str, window: float) -> Count:
        """Count one more and give what that makes; the first one begins a window of so many seconds."""

    def read(self, key: str) -> Count:
        """Give what was counted in the open window, if there is one."""

    def drop(self, key: str) -> None:
        """End a window."""


class Replies(Protocol):
    """What was answered to requests that carried a key, so that a repeated one is answered alike; all workers share it.

    Every method raises StoreDown when the store does not answer.
    """

    def begin(self, claim: Claim, now: dt.datetime) -> Begun:
        """Take a key for a request, unless it was taken before; tells which. What a process that has died had taken is free again."""

    def finish(self, claim: Claim, reply: Reply, now: dt.datetime) -> None:
        """Keep the answer, if the key is still the claim's."""

    def release(self, claim: Claim) -> None:
        """Give the key back without an answer, if it is still the claim's."""
