"""How often a password may be tried.

Three counts, over all workers: of an address, whatever it tries; of an account from one address; and of an account from all addresses that nobody has
logged in from before. Beyond the free tries of the last two, one try is let through at a time, and the next one waits 1, 2, 4 ... 60 seconds.
What strangers do to an account therefore never keeps its owner out where the owner has logged in before, and from a new address the owner is only held
up while the account is under attack from many addresses at once. Names that nobody has are counted alike, so that refusals tell nothing.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.service.errors import TooManyRequests, Unauthenticated
from main.service.limits import counter_key
from main.util.metrics import COUNTERS
from main.util.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.service.limits import RateLimit
    from main.service.ports.doors import HitCounters

FREE_TRIES = 5  # of one account from one address
FREE_TRIES_OF_STRANGERS = 20  # of one account from all addresses it was never logged in from
LONGEST_WAIT = 60.0
MEMORY = 3600.0  # seconds after which tries are forgotten, counted from the first of them
KNOWN = 30 * 86400.0  # seconds for which an address is known after a login
_TOO_MANY = "Too many failed logins; try again after the seconds that Retry-After says."
_ADDRESS = "Too many logins from this address; try again after the seconds that Retry-After says."


def next_wait(failures: int, free: int) -> float:
    """Give how long the next try waits after so many failures: not at all, then 1, 2, 4 ... 60 seconds."""
    over = failures - free
    return 0.0 if over < 0 else min(2.0 ** min(over, 10), LONGEST_WAIT)


class LoginLimits:
    """Decides whether a password may be tried now."""

    def __init__(self, counters: HitCounters, addresses: RateLimit) -> None:
        self._counters = counters
        self._addresses = addresses

    @contextmanager
    def attempt(self, username: str, address: str) -> Iterator[None]:
        """Try a password inside: it counts as failed when Unauthenticated is raised; any other error counts as no try at all.

        Raises:
            TooManyRequests: not now.
        """
        name = fold(username)  # as accounts are found, or each spelling of a name would have tries of its own
        pair = counter_key("login", name, address)
        turns = self._begin(name, address, pair)
        try:
            yield
        except Unauthenticated:
            raise
        except BaseException:
            for turn in turns:
                turn.give_back()
            raise
        # The strangers' count stays: that one of them was the owner says nothing of the others.
        turns[0].forget()
        self._counters.add(f"{pair}:known", KNOWN)

    def _begin(self, name: str, address: str, pair: str) -> list[_Turn]:
        verdict = self._addresses.take(address)
        if verdict is not None and not verdict.allowed:
            raise _refusal(_ADDRESS, verdict.resets_in)
        turns = [_Turn(self._counters, pair, FREE_TRIES)]
        if not self._counters.read(f"{pair}:known").number:
            turns.append(_Turn(self._counters, counter_key("login", name), FREE_TRIES_OF_STRANGERS))
        # All are asked before any is taken, so that a try which one refuses does not count with the other.
        wait = max(turn.wait() for turn in turns) or max(turn.take() for turn in turns)
        if wait > 0:
            raise _refusal(_TOO_MANY, wait)
        return turns


class _Turn:
    """The tries that share a count. A try is counted before its password is looked at: as many as come at once cannot slip through together."""

    def __init__(self, counters: HitCounters, key: str, free: int) -> None:
        self._counters = counters
        self._tries, self._undone, self._hold = (f"{key}:{what}" for what in ("tries", "undone", "hold"))
        self._free = free

    def wait(self) -> float:
        """Give how long to wait before a try, 0 where it may be made."""
        return self._counters.read(self._hold).resets_in if self._failures() >= self._free else 0.0

    def take(self) -> float:
        """Count a try as failed until it turns out otherwise; gives how long to wait where another one was faster."""
        if self._failures() >= self._free:
            return self._take_hold(self._failures() + 1)
        tries = self._counters.add(self._tries, MEMORY).number - self._counters.read(self._undone).number
        if tries > self._free:
            return self._take_hold(tries)
        if tries == self._free:
            self._counters.add(self._hold, next_wait(tries, self._free))
        return 0.0

    def give_back(self) -> None:
        """Take a try back."""
        left = self._counters.read(self._tries).resets_in
        if left > 0:  # both counts end together, or what was taken back would outlive what it was taken from
            self._counters.add(self._undone, left)
        self._counters.drop(self._hold)

    def forget(self) -> None:
        """Forget all tries."""
        for key in (self._tries, self._undone, self._hold):
            self._counters.drop(key)

    def _failures(self) -> int:
        return self._counters.read(self._tries).number - self._counters.read(self._undone).number

    def _take_hold(self, tries: int) -> float:
        hold = self._counters.add(self._hold, next_wait(tries, self._free))
        if hold.number > 1:
            return max(hold.resets_in, 1.0)
        self._counters.add(self._tries, MEMORY)
        return 0.0


def _refusal(detail: str, wait: float) -> TooManyRequests:
    COUNTERS.add("login.refused")
    return TooManyRequests(detail, max(1, math.ceil(wait)))
