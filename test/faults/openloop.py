"""An open-loop client: requests leave at planned moments, whether earlier ones were answered or not, and each latency counts from its plan.

    volley = drive("http://127.0.0.1:8080/products", rate=200, seconds=10)
    volley.statuses, volley.percentile(99), volley.slowest, volley.shots   # as in barrier.py; shots in the order of their plan
    volley.shots[0].planned    # seconds after the start

A client that waits for one answer before it sends the next request hides what a stall does to the requests that should have been sent
meanwhile; this one does not. Each request has a connection of its own, opened at its moment, so connecting is a part of its time.
From a terminal: ``python -m test.faults.openloop URL 200 10``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from test.faults.volley import Volley, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def drive(
    url: str | Sequence[str],
    *,
    rate: float,
    seconds: float,
    processes: int = 1,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> Volley:
    offsets = [number / rate for number in range(round(rate * seconds))]
    return run(url, offsets, ahead=False, processes=processes, headers=headers, timeout=timeout)


if __name__ == "__main__":
    volley = drive(sys.argv[1], rate=float(sys.argv[2]), seconds=float(sys.argv[3]))
    print(dict(volley.statuses), f"p50 {volley.percentile(50):.3f} s, p99 {volley.percentile(99):.3f} s")
