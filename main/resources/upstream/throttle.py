"""Keeps calls to a shop within the rate its settings allow."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from main.service.errors import UpstreamTimeout

if TYPE_CHECKING:
    from main.service.model import Rate


class Throttle:
    """Keeps calls within a rate: at most ``calls`` begin in any ``period``."""

    def __init__(self, rate: Rate | None, closed: threading.Event) -> None:
        self._rate = rate
        self._closed = closed
        self._begun: deque[float] = deque(maxlen=rate.calls if rate else 1)
        self._lock = threading.Lock()

    def wait(self, deadline: float) -> None:
        """Return when a call may begin.

        Raises:
            UpstreamTimeout: that would be after the deadline (monotonic seconds), or the source was closed meanwhile.
        """
        if self._rate is None:
            return
        with self._lock:
            now = time.monotonic()
            due = now
            if len(self._begun) == self._rate.calls:
                due = max(now, self._begun[0] + self._rate.period.total_seconds())
            if due > deadline:
                raise UpstreamTimeout("No call was free within the source's rate before the deadline.")
            self._begun.append(due)
        if due > now and self._closed.wait(due - now):
            raise UpstreamTimeout("The source was closed while a call waited for its turn.")
