"""``@timed``: how long a call took, in the log and in the counters."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog

from main.util.metrics import TIMINGS

if TYPE_CHECKING:
    from collections.abc import Callable

_log = structlog.get_logger("timed")

P = ParamSpec("P")
R = TypeVar("R")


def timed(function: Callable[P, R]) -> Callable[P, R]:
    """Log ``NAME took N ms`` at debug and count the call, also when it raises; the signature stays."""
    name = function.__qualname__

    @functools.wraps(function)
    def measured(*args: P.args, **kwargs: P.kwargs) -> R:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            elapsed = (time.perf_counter() - started) * 1000
            TIMINGS.record(name, elapsed)
            _log.debug(f"{name} took {elapsed:.1f} ms", name=name, duration_ms=round(elapsed, 3))

    return measured
