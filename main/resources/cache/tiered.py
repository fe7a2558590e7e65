"""Memory in front of one shared tier, which may be lost and found at any time without anybody failing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from main.resources.cache.entries import bound_seconds, seal, unseal
from main.resources.cache.standing import Standing
from main.service.errors import CacheDown
from main.util.clock import Clock, SystemClock
from main.util.metrics import COUNTERS
from main.util.perprocess import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from main.resources.cache.memory import MemoryCache
    from main.service.ports.caches import Cache

NEAR_SECONDS = 1.0
_MOST_DEBTS = 10_000
_PAID_AT_ONCE = 16

T = TypeVar("T")


class _Debts:
    """Keys whose values in the shared tier are out of date, because a change did not get there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, None] = {}

    def add(self, key: str) -> None:
        with self._lock:
            self._keys.pop(key, None)
            self._keys[key] = None
            if len(self._keys) > _MOST_DEBTS:
                del self._keys[next(iter(self._keys))]  # the oldest; its value's own time ends it

    def remove(self, key: str) -> None:
        if self._keys:
            with self._lock:
                self._keys.pop(key, None)

    def some(self) -> list[str]:
        if not self._keys:
            return []
        with self._lock:
            return list(self._keys)[:_PAID_AT_ONCE]

    def __contains__(self, key: str) -> bool:
        return key in self._keys


class _State:
    """What one process knows of the shared tier."""

    def __init__(self, clock: Clock) -> None:
        self.standing = Standing(clock)
        self.debts = _Debts()


class Tiered:
    """Looks near first. A shared tier that does not answer is a miss, counted, and told once when it is lost and when it is found.

    What the shared tier has is remembered near for ``near_seconds`` at most, because another worker may purge it; what it could not
    be given stays near for its whole time. What was changed while the tier was lost is dropped there when it is found.
    """

    def __init__(
        self,
        near: MemoryCache,
        shared: Cache | None = None,
        *,
        near_seconds: float = NEAR_SECONDS,
        clock: Clock | None = None,
    ) -> None:
        self._near = near
        self._shared = shared
        self._near_seconds = near_seconds
        self._clock = clock or SystemClock()
        self._states = PerProcess(lambda: _State(self._clock))

    def open(self) -> None:
        """Make the shared tier ready, where it is there; where not, it is found later."""
        self._ask(lambda shared: shared.open(), None)

    def ping(self) -> None:
        """Return when the shared tier answers, or there is none.

        Raises:
            CacheDown: it does not; told without asking while it is left alone.
        """
        if self._shared is None:
            return
        standing = self._states.get().standing
        if not standing.may_ask():
            raise CacheDown(
                "The shared cache did not answer and is left alone for a moment; each process remembers for itself."
            )
        try:
            self._shared.ping()
        except CacheDown as error:
            standing.note_lost(error)
            raise
        standing.note_found()

    def close(self) -> None:
        """Close both tiers."""
        if self._shared is not None:
            self._shared.close()
        self._near.close()

    def peek(self, key: str) -> bytes | None:
        """Give the value if it is at hand in this process, without asking anybody."""
        return self._near.get(key)

    def get(self, key: str) -> bytes | None:
        """Give the value, or None where there is none, its time is over, or it cannot be had now."""
        value = self._near.get(key)
        if value is not None or self._shared is None:
            return value
        if key in self._states.get().debts:
            self.delete(key)
            return None
        return self._fetch(self._shared, key)

    def consult(self, key: str) -> bytes | None:
        """Give the value that the shared tier has, which may be newer than the one at hand; where it has none, the one at hand."""
        if self._shared is None or key in self._states.get().debts:
            return self.get(key)
        found = self._fetch(self._shared, key)
        return self._near.get(key) if found is None else found

    def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value for that long."""
        kept = bound_seconds(seconds)
        reached = self._change(key, lambda shared: shared.set(key, seal(value, self._clock.timestamp() + kept), kept))
        self._near.set(key, value, min(kept, self._near_seconds) if reached else kept)

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""
        self._change(key, lambda shared: shared.delete(key))
        self._near.delete(key)

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        """Take the lock of this name, or renew it where the owner has it; False while another owner's is alive.

        While the shared tier is lost, it holds within this process.
        """
        taken = self._ask(lambda shared: shared.lock(key, owner, seconds), None)
        return self._near.lock(key, owner, seconds) if taken is None else taken

    def unlock(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's, wherever it was taken."""
        self._ask(lambda shared: shared.unlock(key, owner), None)
        self._near.unlock(key, owner)

    def _fetch(self, shared: Cache, key: str) -> bytes | None:
        found = unseal(self._ask(lambda _: shared.get(key), None))
        left = found[1] - self._clock.timestamp() if found else 0
        if found is None or left <= 0:
            return None
        self._near.set(key, found[0], min(left, self._near_seconds))
        return found[0]

    def _change(self, key: str, call: Callable[[Cache], None]) -> bool:
        """Change the shared tier, or remember that it still has to be told; True when it was."""
        debts = self._states.get().debts

        def change(shared: Cache) -> bool:
            call(shared)
            debts.remove(key)  # before debts are paid, which would drop what was just set
            return True

        reached = self._ask(change, otherwise=False)
        if not reached and self._shared is not None:
            debts.add(key)
        return reached

    def _ask(self, call: Callable[[Cache], T], otherwise: T) -> T:
        """Give what the shared tier answers, or what to take instead while it does not, or where there is none."""
        shared, state = self._shared, self._states.get()
        if shared is None:
            return otherwise
        if not state.standing.may_ask():
            COUNTERS.add("cache.tier_skipped")
            return otherwise
        try:
            answer = call(shared)
        except CacheDown as error:
            state.standing.note_lost(error)
            return otherwise
        state.standing.note_found()
        _pay(state, shared)
        return answer


def _pay(state: _State, shared: Cache) -> None:
    """Drop a few of the values that are out of date, so that no single call pays for a long loss."""
    for key in state.debts.some():
        state.debts.remove(key)  # first: a change that fails meanwhile owes again
        try:
            shared.delete(key)
        except CacheDown as error:
            state.debts.add(key)
            state.standing.note_lost(error)
            return
