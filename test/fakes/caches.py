"""A near cache."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from test.fakes.clock import FakeClock


class FakeCache:
    """A near cache in a dict, its clock the one it is given; ``near`` is all that :meth:`peek` sees, ``down`` loses everything."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.kept: dict[str, tuple[bytes, float]] = {}
        self.locks: dict[str, tuple[str, float]] = {}
        self.near = True
        self.guard = threading.Lock()

    def peek(self, key: str) -> bytes | None:
        return self.get(key) if self.near else None

    def get(self, key: str) -> bytes | None:
        value, until = self.kept.get(key, (b"", -1.0))
        return value if until > self.clock.monotonic() else None

    def consult(self, key: str) -> bytes | None:
        return self.get(key)

    def set(self, key: str, value: bytes, seconds: float) -> None:
        self.kept[key] = (value, self.clock.monotonic() + seconds)

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        with self.guard:
            holder, until = self.locks.get(key, ("", -1.0))
            if holder != owner and until > self.clock.monotonic():
                return False
            self.locks[key] = (owner, self.clock.monotonic() + seconds)
            return True

    def unlock(self, key: str, owner: str) -> None:
        with self.guard:
            if self.locks.get(key, ("",))[0] == owner:
                del self.locks[key]
