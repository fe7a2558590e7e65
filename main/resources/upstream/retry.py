"""One more try at most, where it can help and harms nobody: within the deadline, within the source's budget, after a random pause."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

from tenacity import RetryCallState, Retrying, stop_after_attempt

from main.resources.upstream.faults import is_worth_another_try
from main.service.errors import UpstreamClosed

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from main.resources.upstream.guard import Guard

LONGEST_PAUSE = 0.2


class Attempt(Protocol):
    """What the decision needs to know of a call."""

    @property
    def repeatable(self) -> bool:
        """Whether making it twice is as good as once."""

    @property
    def deadline(self) -> float | None:
        """When it ends (monotonic seconds); None where it has not begun."""


A = TypeVar("A", bound=Attempt)
R = TypeVar("R")


class OneMoreTry:
    """Makes calls of one source, and makes one again where that is allowed.

    The pause is uniform between nothing and 0.2 s or the time left ("full jitter"): calls that failed together do not come back together.
    """

    def __init__(self, guard: Guard, closed: threading.Event, uniform: Callable[[float, float], float] | None = None) -> None:
        self._guard = guard
        self._closed = closed
        self._uniform = uniform or random.SystemRandom().uniform
        self._retrying = Retrying(
            stop=stop_after_attempt(2), wait=self._pause, retry=self._is_allowed, sleep=self._sleep, reraise=True
        )

    def run(self, make: Callable[[A], R], call: A) -> R:
        """Give what making the call gives, at the first or the second try.

        Raises:
            UpstreamError: of the last try.
        """
        return self._retrying(make, call)

    def _is_allowed(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        call: Attempt = state.args[0]
        return (
            error is not None
            and state.attempt_number == 1
            and call.repeatable
            and is_worth_another_try(error)
            and _time_left(call) > 0
            and self._guard.may_retry()
        )

    def _pause(self, state: RetryCallState) -> float:
        return self._uniform(0.0, max(0.0, min(LONGEST_PAUSE, _time_left(state.args[0]))))

    def _sleep(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise UpstreamClosed("The source was closed while a call waited to be made again.")


def _time_left(call: Attempt) -> float:
    return 0.0 if call.deadline is None else call.deadline - time.monotonic()
