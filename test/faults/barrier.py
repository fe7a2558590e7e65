"""A barrier client: so many requests at one instant, each on a connection of its own that was opened before.

    volley = fire("http://127.0.0.1:8080/products/acme:1?live=true", 1000, processes=4, timeout=30)
    volley.statuses            # Counter({200: 1000}); 0 stands for no answer
    volley.slowest             # seconds from that instant; volley.percentile(99) too
    volley.shots[0]            # .status .headers (lower case) .body .seconds .fault

Several URLs of one server are taken in turn. Tools that ramp up, such as ab, do not show a stampede; this does.
From a terminal: ``python -m test.faults.barrier URL 1000``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from test.faults.volley import Volley, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def fire(
    url: str | Sequence[str],
    count: int,
    *,
    processes: int = 2,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> Volley:
    return run(url, [0.0] * count, ahead=True, processes=processes, headers=headers, timeout=timeout)


if __name__ == "__main__":
    volley = fire(sys.argv[1], int(sys.argv[2]))
    print(dict(volley.statuses), f"p50 {volley.percentile(50):.3f} s, slowest {volley.slowest:.3f} s")
