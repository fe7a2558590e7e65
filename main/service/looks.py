"""Live looks at one source: each product asked for once at a time, from the caches first, then from the shop."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from main.service.errors import (
    AisleError,
    RecordRejected,
    UpstreamHeld,
)
from main.service.flights import LATE, Flight, Ticket, cache_until, part, state_of
from main.service.keptlooks import KeptLooks
from main.service.lookentry import Entry, Verdict, make_entry
from main.service.model import BreakerState, Look, LookState, Wanted
from main.service.switch import is_enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from main.service.fanout import Lanes
    from main.service.leases import Leases
    from main.service.model import LiveRules, Product, Source
    from main.service.ports.caches import NearCache
    from main.service.ports.guards import GuardBook
    from main.service.ports.upstream import Connector
    from main.util.clock import Clock

_READERS = 8  # threads a source that read the shared cache at a time
_RENEWALS = "all renewals"  # no source's lane: a name has no spaces
_PACE = 0.005  # seconds between two calls that nobody waits for: all at once would hold up whoever is answered just now
_PEEK = 0.01  # seconds between two looks at what another process is fetching
_GONE = "The shop no longer has this product."
_CROWDED = "No place among the calls to this shop came free in time."
_TRIED = "The shop failed too often; it is being tried just now."
_BROKE = "An error inside Aisle; the log has its trace."
_NO_LOOKS = "This source has no live looks."
_OFF = "This source is switched off."

_log = structlog.get_logger("live")


@dataclass(frozen=True, slots=True)
class LookTools:
    """What looks at every source share."""

    cache: NearCache
    leases: Leases
    guards: GuardBook
    lanes: Lanes
    clock: Clock
    rules: LiveRules
    dump: Callable[[Product], bytes]


class SourceLooks:
    """Looks at the products of one source."""

    def __init__(self, source: Source, connector: Connector, tools: LookTools) -> None:
        self.source = source
        self._connector = connector
        self._tools = tools
        self._kept = KeptLooks(source.name, connector.fingerprint, tools.cache, tools.guards, tools.clock, tools.rules)
        self._flights: dict[str, Flight] = {}
        self._aloft: set[Flight] = set()
        self._retired = False
        self._lock = threading.Lock()

    def begin(self, wanted: Sequence[Wanted], deadline: float, *, current: bool) -> dict[str, Look | Ticket]:
        """Give, by source id, what is known at once and what is on its way; asks the shop where that is needed.

        ``current`` tells whether the source's last sync is good and young: all there is where its products cannot be asked for.
        """
        if not self._connector.look_size:
            known = Look(LookState.CACHED if current else LookState.STALE, reason=_NO_LOOKS)
            return {each.source_id: known for each in wanted}
        if not is_enabled(self.source, self._tools.guards.read(self.source.name)):
            return {each.source_id: Look(LookState.ERROR, reason=_OFF) for each in wanted}
        found: dict[str, Look | Ticket] = {}
        new: list[Flight] = []
        try:
            self._board_all(wanted, deadline, found, new)
            waited, renewals = part(new)
            self._take_off(waited)
            for flight in renewals:
                self._answer(flight, self._kept.stand_in(flight, LookState.STALE, None))
            self._renew_later(renewals)
        except BaseException:
            self._land_all(new, LookState.ERROR, _BROKE)
            raise
        return found

    def retire(self) -> None:
        """Close once what is under way has ended, each by its own deadline."""
        with self._lock:
            self._retired = True
            over = not self._aloft
        if over:
            self.close()

    def close(self) -> None:
        """End the calls under way."""
        self._connector.close()

    def _board_all(self, wanted: Sequence[Wanted], deadline: float, found: dict[str, Look | Ticket], new: list[Flight]) -> None:
        """Sort what is at hand and what is to be waited for into ``found``, and the flights that begin with it into ``new``."""
        held = self._connector.find_hold()
        for each in wanted:
            entry, verdict = self._kept.peek(self._kept.key(each))
            known = self._kept.at_hand(entry, verdict, held)
            if known is not None:
                found[each.source_id] = known
            if verdict is not Verdict.FRESH and (known is None or held is None):
                ticket = self._board(each, deadline, verdict, entry)
                found.setdefault(each.source_id, ticket)
                new += [] if ticket.joined else [ticket.flight]

    def _board(self, wanted: Wanted, deadline: float, verdict: Verdict, entry: Entry | None) -> Ticket:
        key, refresh = self._kept.key(wanted), verdict is Verdict.REVALIDATE
        with self._lock:
            flight = self._flights.get(key)
            # Whoever waits does not stand behind all that nobody waits for: a renewal that has not begun is left, and begun anew.
            ahead = flight is not None and (flight.begun or refresh or not flight.refresh)
            if flight is not None and ahead and not self._kept.is_void(flight.boarded_at):
                flight.give_up = max(flight.give_up, deadline)
                flight.refresh = flight.refresh and (refresh or flight.landed.kept)
                return Ticket(flight, joined=True)
            rescue = None if verdict is Verdict.MISS else entry
            flight = self._flights[key] = Flight(
                self._kept.stand_in, wanted, key, deadline, self._tools.clock.timestamp(), refresh, rescue
            )
            self._aloft.add(flight)
            return Ticket(flight, joined=False)

    def _take_off(self, flights: Sequence[Flight]) -> None:
        for some in self._batch(flights):
            # On a lane of its own: calls that hang keep nobody from what is known already.
            if not self._tools.lanes.submit(f"{self.source.name} cache", _READERS, partial(self._read, some)):
                self._land_all(some, LookState.TIMEOUT, _CROWDED)

    def _renew_later(self, flights: Sequence[Flight]) -> None:
        started = self._tools.clock.timestamp()
        for some in self._batch(flights):
            if not self._tools.lanes.submit(_RENEWALS, 1, partial(self._renew, started, some)):
                self._land_all(some, LookState.TIMEOUT, _CROWDED)

    def _batch(self, flights: Sequence[Flight]) -> Iterator[Sequence[Flight]]:
        size = self._connector.look_size
        return (flights[start : start + size] for start in range(0, len(flights), size))

    def _renew(self, started: float, flights: Sequence[Flight]) -> None:
        time.sleep(_PACE)
        self._go_on(started, flights, hurried=False)

    def _read(self, flights: Sequence[Flight]) -> None:
        """Land what the shared cache has, serve what has aged there, and ask the shop for the rest."""
        started, left = self._tools.clock.timestamp(), flights
        try:
            left = self._land_what_is_known(flights, started)
            if held := self._connector.find_hold():
                self._land_all(left, state_of(held), str(held))
                left = []
            elif self._tools.guards.read(self.source.name).breaker(self._tools.clock.timestamp()) is BreakerState.HALF_OPEN:
                for flight in left:
                    self._answer(flight, self._kept.stand_in(flight, LookState.OPEN, _TRIED))
        finally:  # whatever becomes of the cache, the shop is asked
            waited, renewals = part(left)
            self._go_on(started, waited)
            self._renew_later(renewals)

    def _go_on(self, started: float, flights: Sequence[Flight], *, hurried: bool = True) -> None:
        """Ask the shop as soon as its lane has room."""
        fly = partial(self._fly, started, flights)
        if flights and not self._tools.lanes.go_on(self.source.name, self.source.concurrency, fly, hurried=hurried):
            self._land_all(flights, LookState.TIMEOUT, _CROWDED)

    def _fly(self, started: float, flights: Sequence[Flight]) -> None:
        state, reason = LookState.ERROR, _BROKE
        try:
            self._take_up(flights)
            limit = min(self.source.timeout, self._tools.rules.max_deadline).total_seconds()
            self._find([flight for flight in flights if not flight.over], time.monotonic() + limit, started)
            state, reason = LookState.TIMEOUT, LATE
        except AisleError as error:
            state, reason = state_of(error), str(error)
            if not isinstance(error, UpstreamHeld):  # the guard has said so already, once
                _log.warning("source.look_failed", source=self.source.name, error_type=type(error).__name__, error=reason)
        finally:
            self._land_all(flights, state, reason)

    def _take_up(self, flights: Sequence[Flight]) -> None:
        """Land those for which whoever waited has given up, and renewals that somebody has begun anew; the others begin."""
        with self._lock:
            for flight in flights:
                flight.begun = self._flights.get(flight.key) is flight
        now = time.monotonic()
        given_up = [flight for flight in flights if not (flight.begun if flight.refresh else flight.give_up > now)]
        self._land_all(given_up, LookState.TIMEOUT, _CROWDED)

    def _find(self, left: Sequence[Flight], deadline: float, started: float) -> None:
        """Land every flight: by the shop, or by what another process gets from the shop meanwhile."""
        while left and time.monotonic() < deadline:
            with ExitStack() as locks:
                until = cache_until(left)
                mine = [flight for flight in left if time.monotonic() > until or self._take_lock(flight, locks)]
                self._ask_unless_known(mine, deadline, started)
            left = [flight for flight in left if not flight.over and not self._leave_to_others(flight)]
            if left and not mine:
                time.sleep(_PEEK)
            left = [flight for flight in left if not self._land_from_cache(flight, started)]

    def _leave_to_others(self, flight: Flight) -> bool:
        """Land what another process is asking for where nobody waits for ours any more."""
        if not flight.refresh:
            return False
        self._land(flight, self._kept.stand_in(flight, LookState.OPEN, _TRIED))
        return True

    def _take_lock(self, flight: Flight, locks: ExitStack) -> bool:
        taken = self._tools.leases.take(flight.key)
        if taken:
            locks.callback(self._tools.leases.release, flight.key)
        return taken

    def _ask_unless_known(self, flights: Sequence[Flight], deadline: float, started: float) -> None:
        # Whoever had the lock a moment ago may have left the answer.
        needed = self._land_what_is_known(flights, started)
        if needed:
            self._ask(needed, deadline)

    def _land_what_is_known(self, flights: Sequence[Flight], started: float) -> list[Flight]:
        """Land what the shared cache has, as far as it tells in time, and give the others."""
        until = cache_until(flights)
        return [flight for flight in flights if time.monotonic() > until or not self._land_from_cache(flight, started)]

    def _land_from_cache(self, flight: Flight, started: float) -> bool:
        entry, verdict = self._kept.consult(flight.key)
        if entry is None or verdict is Verdict.MISS:
            return False
        if verdict is Verdict.FRESH:
            joined = entry.at >= started
            look = self._kept.look(entry, LookState.LIVE if joined else LookState.CACHED)
            self._land(flight, replace(look, joined=joined))
            return True
        flight.rescue = entry
        if verdict is Verdict.REVALIDATE:
            self._answer(flight, self._kept.look(entry, LookState.STALE))
        return False

    def _answer(self, flight: Flight, look: Look) -> None:
        """Give those who wait what there is; the flight goes on, but from now on nobody waits for it."""
        with self._lock:
            flight.refresh = True
        if not flight.landed.kept:
            flight.landed.keep(look)

    def _ask(self, flights: Sequence[Flight], deadline: float) -> None:
        asked_at = self._tools.clock.timestamp()
        records = self._connector.look([flight.wanted for flight in flights], deadline)
        entries = [(flight, self._map(flight, records, asked_at)) for flight in flights]
        # Those who wait come first. Who asks meanwhile finds no answer yet, and waits for the lock, which is still ours.
        for flight, entry in entries:
            self._land(flight, self._kept.look(entry, LookState.LIVE))
        for flight, entry in entries:
            self._kept.keep(flight.key, entry)

    def _map(self, flight: Flight, records: Mapping[str, bytes], asked_at: float) -> Entry:
        raw = records.get(flight.wanted.source_id)
        if raw is None:
            return make_entry(asked_at, None, _GONE, gone=True)
        try:
            return make_entry(asked_at, self._tools.dump(self._connector.load(raw)))
        except RecordRejected as rejection:
            return make_entry(asked_at, None, f"The shop's record is no valid product: {rejection}")

    def _land_all(self, flights: Iterable[Flight], state: LookState, reason: str) -> None:
        for flight in flights:
            if not flight.over:
                self._land(flight, self._kept.stand_in(flight, state, reason))

    def _land(self, flight: Flight, look: Look) -> None:
        # Out of the list first: whoever asks from now on gets an answer of their own.
        with self._lock:
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
            flight.over = True
            self._aloft.discard(flight)
            last = self._retired and not self._aloft
        if not flight.landed.kept:
            flight.landed.keep(look)
        if last:
            self.close()
