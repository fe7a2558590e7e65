"""What ended before its time, as a process holds it: never older than half a second."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from main.service.ports import AccountStore, Revocations
    from main.util.clock import Clock

HELD = 0.5  # so that an ended token is refused everywhere within a second


class Revoked:
    """Reads the store's revocations at most twice a second; safe to use from several threads."""

    def __init__(self, store: AccountStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[float, Revocations] | None = None

    def read(self) -> Revocations:
        """Give what ends tokens.

        Raises:
            StoreDown: it cannot be told, so nobody is let in: a token that was ended must never work again.
        """
        seen = self._seen
        if seen is not None and self._clock.monotonic() - seen[0] < HELD:
            return seen[1]
        with self._lock:
            if self._seen is None or self._seen is seen:
                began = self._clock.monotonic()
                self._seen = (began, self._store.revocations())
            return self._seen[1]

    def forget(self) -> None:
        """Have the next call read the store again: this process has just ended something."""
        with self._lock:
            self._seen = None
