"""One source's guard: whether a call may begin, and what its end says about the shop."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from main.resources.guards.memory import MemoryGuardBook
from main.resources.upstream import breaker
from main.resources.upstream.breaker import Ended, Verdict
from main.resources.upstream.rate import describe_rate, next_turn, take_turn
from main.service.errors import UpstreamClosed, UpstreamHeld, UpstreamPaused
from main.service.model import BreakerState
from main.util.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.service.model import GuardState, Source
    from main.service.ports.guards import GuardBook

_NOBODY = ""

_log = structlog.get_logger("guard")


class Guard:
    """Lets calls to one source begin within its bulkhead, rate, pause and breaker, and learns from how they end.

    What it knows is in the book, which every process of the machine may share; without one, it keeps to itself.
    """

    def __init__(self, source: Source, book: GuardBook | None = None, clock: Clock | None = None) -> None:
        self._name = source.name
        self._places = source.concurrency
        self._rate = source.rate
        self._book: GuardBook = book or MemoryGuardBook()
        self._clock = clock or SystemClock()
        self._closed = threading.Event()
        self._noted = False

    @contextmanager
    def admitted(self, deadline: float) -> Iterator[None]:
        """Hold a place for one call; what is raised inside tells how it went.

        Raises:
            UpstreamHeld: no call may be made now.
            UpstreamTimeout: no place was free before the deadline (monotonic seconds).
            UpstreamClosed: the guard was closed while the call waited for a place or its turn.
        """
        owner = f"{random.getrandbits(64):016x}"
        # A look that costs next to nothing, so that a shop held back costs nobody a place; the one that counts comes with it.
        self._raise_held(self._find_hold(self._book.read(self._name), owner, deadline))
        with self._book.slot(self._name, self._places, deadline, self._closed):
            turn, calm = self._begin(owner, deadline)
            began: float | None = None
            try:
                self._await_turn(turn, owner)
                began = self._clock.monotonic()
                yield
            except BaseException as error:
                self._finish(owner, Verdict.NOTHING if began is None else breaker.judge(error), began, error)
                raise
            self._finish(owner, Verdict.GOOD, began, calm=calm)

    def find_hold(self) -> UpstreamHeld | None:
        """Give why no call may begin, as it was a moment ago, or None; a rate that is used up holds only who cannot wait for it."""
        return breaker.find_hold(self._book.read(self._name), _NOBODY, self._clock.timestamp())

    def may_retry(self) -> bool:
        """Tell whether the source's budget has one more try, and take it."""
        return self._book.change(self._name, breaker.take_retry)

    def close(self) -> None:
        """End every wait, and keep what was counted."""
        self._closed.set()
        if self._noted:
            self._book.change(self._name, lambda state: (state, None))

    def _begin(self, owner: str, deadline: float) -> tuple[float, bool]:
        """Give the call's turn, and whether a good end changes nothing but counts."""
        state = self._book.read_now(self._name)
        calm = breaker.is_calm(state)
        if not self._rate and state.breaker(self._clock.timestamp()) is BreakerState.CLOSED:
            # There is neither a turn nor a probe to be taken from anybody, so no need to wait for them.
            self._raise_held(self._find_hold(state, owner, deadline))
            return self._clock.timestamp(), calm
        return self._take_turn(owner, deadline), calm

    def _take_turn(self, owner: str, deadline: float) -> float:
        def step(state: GuardState) -> tuple[GuardState, UpstreamHeld | float]:
            held = self._find_hold(state, owner, deadline)
            if held is not None:
                return state, held
            now = self._clock.timestamp()
            turn = next_turn(state.begun, self._rate, now)
            if self._rate:
                state = replace(state, begun=take_turn(state.begun, self._rate, turn, now))
            return breaker.begin(state, owner, now, deadline - self._clock.monotonic()), turn

        answer = self._book.change(self._name, step)
        if isinstance(answer, UpstreamHeld):
            raise answer
        return answer

    def _find_hold(self, state: GuardState, owner: str, deadline: float) -> UpstreamHeld | None:
        now = self._clock.timestamp()
        held = breaker.find_hold(state, owner, now)
        wait = next_turn(state.begun, self._rate, now) - now
        if held is None and self._rate and wait > max(deadline - self._clock.monotonic(), 0):
            return UpstreamPaused(f"The source's rate of {describe_rate(self._rate)} is used up.", wait)
        return held

    def _await_turn(self, turn: float, owner: str) -> None:
        """Wait for the turn that was taken, then look again: the shop may have asked for a pause meanwhile."""
        until = self._clock.monotonic() + max(turn - self._clock.timestamp(), 0.0)
        waited = False
        while (left := until - self._clock.monotonic()) > 0:
            waited = True
            if self._closed.wait(left):
                raise UpstreamClosed("The source was closed while a call waited for its turn.")
        if waited:
            self._raise_held(breaker.find_hold(self._book.read_now(self._name), owner, self._clock.timestamp()))

    def _finish(
        self, owner: str, verdict: Verdict, began: float | None, error: BaseException | None = None, *, calm: bool = False
    ) -> None:
        seconds = 0.0 if began is None else self._clock.monotonic() - began
        ended = Ended(owner, verdict, self._clock.timestamp(), seconds, error)
        luck = random.random()  # noqa: S311 - spreads probes, keeps no secret

        def step(state: GuardState) -> tuple[GuardState, tuple[GuardState, GuardState]]:
            after = breaker.finish(state, ended, luck)
            return after, (state, after)

        if calm:
            self._noted = True
            self._book.note(self._name, step)
        else:
            self._tell(*self._book.change(self._name, step), ended)

    def _tell(self, before: GuardState, after: GuardState, ended: Ended) -> None:
        """Log what has changed for everybody, once."""
        now, name = ended.at, self._name
        if after.paused_for(now) and not before.paused_for(now):
            _log.warning("source.paused", source=name, seconds=round(after.paused_for(now), 1), error=str(ended.error))
        if after.opened_at == before.opened_at:
            return
        if after.opened_at is None:
            _log.info("source.breaker_closed", source=name, open_s=round(now - (before.opened_at or now), 1))
            return
        facts = {"error_type": after.last_error_type, "error": after.last_error, "next_probe_s": round(after.open_for(now), 1)}
        if before.opened_at is None:
            _log.warning("source.breaker_opened", source=name, failures_in_row=after.failures_in_row, **facts)
        else:
            _log.debug("source.probe_failed", source=name, **facts)

    def _raise_held(self, held: UpstreamHeld | None) -> None:
        if held is not None:
            raise held
