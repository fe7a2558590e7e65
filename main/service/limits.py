"""How often a caller may ask: counted in windows that begin with the first request in them."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from main.service.model import Verdict

if TYPE_CHECKING:
    from main.service.model import Count, Policy
    from main.service.ports.doors import HitCounters


def counter_key(*parts: str) -> str:
    """Give a short key of plain letters for whatever names what is counted; it tells nothing of them to whoever sees the counters."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def judge(policy: Policy, count: Count) -> Verdict:
    """Give what a count means under a policy."""
    most = policy.rate.calls
    resets_in = min(max(math.ceil(count.resets_in), 1), policy.window)
    return Verdict(policy, allowed=count.number <= most, remaining=max(0, most - count.number), resets_in=resets_in)


class RateLimit:
    """One policy over the counters that all workers share; without a policy everything is allowed."""

    def __init__(self, counters: HitCounters, policy: Policy | None) -> None:
        self._counters = counters
        self.policy = policy

    def take(self, who: str) -> Verdict | None:
        """Count one more for somebody and tell what that means; None where there is no limit.

        One that is refused counts as well, but prolongs nothing: the window ends when it would have.
        """
        if self.policy is None:
            return None
        return judge(self.policy, self._counters.add(counter_key(self.policy.name, who), self.policy.window))
