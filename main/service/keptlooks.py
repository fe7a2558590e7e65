"""The answers that are kept of looks at one source, and what may still be done with each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service.flights import LATE
from main.service.lookentry import Verdict, judge, read_entry, write_entry
from main.service.model import Look, LookState

if TYPE_CHECKING:
    from main.service.errors import UpstreamHeld
    from main.service.flights import Flight
    from main.service.lookentry import Entry
    from main.service.model import LiveRules, Wanted
    from main.service.ports.caches import NearCache
    from main.service.ports.guards import GuardBook
    from main.util.clock import Clock

_SERVED = {Verdict.FRESH: LookState.CACHED, Verdict.REVALIDATE: LookState.STALE}


class KeptLooks:
    """One source's answers in the cache. Those of another mapping, and those from before a purge, are misses."""

    def __init__(
        self, source: str, fingerprint: bytes, cache: NearCache, guards: GuardBook, clock: Clock, rules: LiveRules
    ) -> None:
        self._source = source
        self._prefix = f"look:{source}:{fingerprint.hex()}:"
        self._cache = cache
        self._guards = guards
        self._clock = clock
        self._rules = rules

    def key(self, wanted: Wanted) -> str:
        """Give the name under which a product's answer is kept."""
        return self._prefix + wanted.source_id

    def peek(self, key: str) -> tuple[Entry | None, Verdict]:
        """Give what is at hand in this process, and what it is good for."""
        return self._judge(self._cache.peek(key))

    def consult(self, key: str) -> tuple[Entry | None, Verdict]:
        """Give what is at hand while it is fresh, or else what any process may have left for all."""
        entry, verdict = self.peek(key)
        return (entry, verdict) if verdict is Verdict.FRESH else self._judge(self._cache.consult(key))

    def keep(self, key: str, entry: Entry) -> None:
        """Keep an answer for everybody, for as long as it can be of use."""
        self._cache.set(key, write_entry(entry), self._rules.max_stale.total_seconds())

    def judge(self, entry: Entry) -> Verdict:
        """Say what an answer is good for now."""
        return Verdict.MISS if self.is_void(entry.at) else judge(entry, self._clock.timestamp(), self._rules)

    def is_void(self, at: float) -> bool:
        """Tell whether what was asked at a moment (seconds since 1970) may not be used any more, as after a purge."""
        return self._guards.read(self._source).has_voided(at, self._clock.timestamp())

    def look(self, entry: Entry, state: LookState, reason: str | None = None) -> Look:
        """Give an answer as the look of somebody; one that is no product is an error, whatever the state."""
        age = max(0.0, self._clock.timestamp() - entry.at)
        if entry.fault is not None:
            return Look(LookState.ERROR, age, reason=entry.fault, gone=entry.gone)
        return Look(state, age, bytes(entry.figures), reason)

    def at_hand(self, entry: Entry | None, verdict: Verdict, held: UpstreamHeld | None) -> Look | None:
        """Give what needs no waiting: an answer that is young enough, or an older one of a shop that may not be asked now."""
        if entry is None or verdict is Verdict.MISS:
            return None
        if verdict in _SERVED:
            return self.look(entry, _SERVED[verdict])
        return None if held is None else self.look(entry, LookState.STALE, str(held))

    def stand_in(self, flight: Flight, state: LookState, reason: str | None) -> Look:
        """Give the old answer that steps in for one that did not come, or why there is none."""
        if flight.rescue is not None and self.judge(flight.rescue) is not Verdict.MISS:
            return self.look(flight.rescue, LookState.STALE, reason)
        return Look(state, reason=reason or LATE)

    def _judge(self, kept: bytes | None) -> tuple[Entry | None, Verdict]:
        entry = read_entry(kept)
        return entry, Verdict.MISS if entry is None else self.judge(entry)
