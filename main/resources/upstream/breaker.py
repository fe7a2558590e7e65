"""When calls to a source are held back, and what the end of a call says about the shop: pure decisions on the guard's state."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from main.service.errors import (
    NoAccessToken,
    TokenOutworn,
    UpstreamGarbled,
    UpstreamHeld,
    UpstreamOpen,
    UpstreamPaused,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from main.service.model import BreakerMode, BreakerState

if TYPE_CHECKING:
    from main.service.model import GuardState

FAILURES_IN_ROW = 5
LONGEST_PAUSE = 60.0  # seconds, whatever a Retry-After asks for
_LEAST_CALLS = 20  # in the window: a share of fewer says little
_RATIO = 0.5  # of them failed
_WINDOW = 10  # whole seconds
_FIRST_OPEN = 5.0  # seconds
_GROWTH = 1.25  # times longer after each probe that failed
_LONGEST_OPEN = 8.0  # seconds: with the jitter, a shop that has recovered is tried within ten
_JITTER = 0.15  # a share, only ever more, so that a shop in trouble gets its five seconds; at most 9.2 s come of it
_USUAL_PAUSE = 5.0  # seconds, where a shop does not say how long
_LONGEST_PROBE = 30.0  # seconds; a feed may take longer, but whoever died holds the others back no more than this
_PROBE_GRACE = 1.0  # seconds beyond the probe's own time, for its end to be written down
_PROBE_LOOK = 1.0  # seconds after which to look again while another call probes: it may end at any moment
_RETRIES = 10.0  # tries that the budget holds when it is full
_RETRY_GAIN = 0.1  # of a try for each call that ends
_DURATIONS = 100  # the last calls whose times are kept
_LATEST_NOTE = 2  # seconds by which a call's end may be counted late
_BAD_STATUSES = {401, 403, 407, 408}
_FAILURES = (UpstreamTimeout, UpstreamUnreachable, UpstreamGarbled, NoAccessToken)
_CLIENT_ERRORS = range(400, 500)
_SERVER_ERRORS = range(500, 600)


class Verdict(Enum):
    """What the end of a call says about the shop."""

    GOOD = auto()
    BAD = auto()
    THROTTLED = auto()
    NEUTRAL = auto()  # it answered, but neither as a working shop nor as one in trouble
    NOTHING = auto()  # the call was given up by us


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that is over: who made it, how it ended, when, and how long it took in seconds."""

    owner: str
    verdict: Verdict
    at: float
    seconds: float = 0.0
    error: BaseException | None = None


def judge(error: BaseException | None) -> Verdict:
    """Say what an exception, or none, tells about the shop. A 404 of one item, or any such refusal, shows a shop that works."""
    if error is None:
        return Verdict.GOOD
    if isinstance(error, UpstreamThrottled):
        return Verdict.THROTTLED
    if isinstance(error, TokenOutworn):
        return Verdict.NOTHING
    if isinstance(error, UpstreamRefused):
        if error.status in _BAD_STATUSES or error.status in _SERVER_ERRORS:
            return Verdict.BAD
        return Verdict.GOOD if error.status in _CLIENT_ERRORS else Verdict.NEUTRAL
    return Verdict.BAD if isinstance(error, _FAILURES) else Verdict.NOTHING


def find_hold(state: GuardState, owner: str, now: float) -> UpstreamHeld | None:
    """Give the reason why this call may not be made now, if there is one: a person, a pause, or the breaker."""
    if state.mode is BreakerMode.FORCED_OPEN:
        return UpstreamOpen("The source's breaker is forced open by hand.")
    if left := state.paused_for(now):
        return UpstreamPaused(f"The shop asked to be left alone for {math.ceil(left)} s more.", left)
    breaker = state.breaker(now)
    if breaker is BreakerState.OPEN:
        left = state.open_for(now)
        return UpstreamOpen(f"The shop failed too often; it is tried again in {math.ceil(left)} s.", left)
    left = state.probed_for(now)
    if breaker is BreakerState.HALF_OPEN and left and state.probe_owner != owner:
        return UpstreamOpen("The shop failed too often; one call is trying it right now.", min(left, _PROBE_LOOK))
    return None


def begin(state: GuardState, owner: str, now: float, patience: float) -> GuardState:
    """Give the state once this call goes ahead: half open, it is the one that tries the shop.

    A probe whose process died holds the others back no longer than the ``patience`` it had, and a second.
    """
    if state.breaker(now) is not BreakerState.HALF_OPEN:
        return state
    return replace(state, probe_owner=owner, probe_until=now + min(max(patience, 0.0), _LONGEST_PROBE) + _PROBE_GRACE)


def finish(state: GuardState, ended: Ended, luck: float) -> GuardState:
    """Give the state once a call is over; ``luck`` of 0..1 moves how long the breaker stays open, should it open."""
    probed = state.probe_owner == ended.owner
    freed = replace(state, probe_owner=None, probe_until=None) if probed else state
    if ended.verdict is Verdict.NOTHING:
        return freed
    counted = _count(freed, ended)
    if ended.verdict is Verdict.THROTTLED:
        return _pause(counted, ended, least=_FIRST_OPEN if probed else 0.0)
    if state.opened_at is not None:
        return _settle(counted, ended, luck, probed=probed)
    return _open(counted, ended.at, luck) if _trips(counted, ended) else counted


def is_calm(state: GuardState) -> bool:
    """Tell whether a call that ends well changes nothing but counts, so that others need not know of it at once."""
    troubled = state.failures_in_row or state.opened_at is not None or state.probe_owner is not None
    return not troubled and not any(failures for _, _, failures in state.buckets)


def take_retry(state: GuardState) -> tuple[GuardState, bool]:
    """Take one retry from the budget, if it has one: ten, and one more for every ten calls that were no retries."""
    tokens = _retries(state)
    if tokens < 1:
        return state, False
    # Every call that ends adds its tenth, the retry too: so that is taken together with it.
    return replace(state, retry_tokens=round(tokens - 1 - _RETRY_GAIN, 6)), True


def _retries(state: GuardState) -> float:
    return _RETRIES if state.retry_tokens is None else state.retry_tokens


def _settle(state: GuardState, ended: Ended, luck: float, *, probed: bool) -> GuardState:
    """Close after a probe that went well, open again after any other; calls that began before the breaker opened say nothing new."""
    if ended.verdict is Verdict.GOOD and (probed or state.mode is BreakerMode.CLOSED):
        return replace(state, opened_at=None, open_until=None, times_opened=0, buckets=())
    return _open(state, ended.at, luck) if probed else state


def _trips(state: GuardState, ended: Ended) -> bool:
    if state.mode is not BreakerMode.AUTO:
        return False
    if ended.verdict is Verdict.BAD and state.failures_in_row >= FAILURES_IN_ROW:
        return True
    calls = sum(bucket[1] for bucket in state.buckets)
    return calls >= _LEAST_CALLS and sum(bucket[2] for bucket in state.buckets) >= calls * _RATIO


def _open(state: GuardState, now: float, luck: float) -> GuardState:
    seconds = min(_LONGEST_OPEN, _FIRST_OPEN * _GROWTH ** min(state.times_opened, 10)) * (1 + _JITTER * luck)
    return replace(state, opened_at=now, open_until=now + seconds, times_opened=state.times_opened + 1)


def _pause(state: GuardState, ended: Ended, *, least: float) -> GuardState:
    """Leave the shop alone for as long as it asks; half open, where a pause alone keeps probes apart, for ``least`` seconds."""
    asked = getattr(ended.error, "retry_after", None)
    until = ended.at + max(min(_USUAL_PAUSE if asked is None else asked, LONGEST_PAUSE), least)
    # Of several answers the most careful one is obeyed.
    return replace(state, paused_until=max(until, ended.at + state.paused_for(ended.at)))


def _count(state: GuardState, ended: Ended) -> GuardState:
    bad = ended.verdict is Verdict.BAD
    told = ended.verdict in {Verdict.GOOD, Verdict.BAD}
    counted = replace(
        state,
        calls=state.calls + 1,
        failures=state.failures + bad,
        failures_in_row=_count_row(state, ended, bad=bad, told=told),
        buckets=_fill(state.buckets, int(ended.at), bad=bad) if told else state.buckets,
        durations_ms=(*state.durations_ms, round(ended.seconds * 1000))[-_DURATIONS:],
        retry_tokens=round(min(_RETRIES, _retries(state) + _RETRY_GAIN), 6),
    )
    if ended.error is None or ended.verdict is Verdict.GOOD:
        return counted
    error = ended.error
    return replace(counted, last_error_type=type(error).__name__, last_error=str(error), last_error_at=ended.at)


def _count_row(state: GuardState, ended: Ended, *, bad: bool, told: bool) -> int:
    if bad:
        return state.failures_in_row + 1
    failed_since = state.last_error_at is not None and 0 < state.last_error_at - ended.at <= _LATEST_NOTE
    return 0 if told and not failed_since else state.failures_in_row


def _fill(buckets: tuple[tuple[int, int, int], ...], second: int, *, bad: bool) -> tuple[tuple[int, int, int], ...]:
    if buckets and 0 < buckets[-1][0] - second <= _LATEST_NOTE:
        second = buckets[-1][0]  # a note that comes a moment late is no clock set back
    kept = [bucket for bucket in buckets if second - _WINDOW < bucket[0] <= second]
    _, calls, failures = kept.pop() if kept and kept[-1][0] == second else (second, 0, 0)
    return (*kept, (second, calls + 1, failures + bad))
