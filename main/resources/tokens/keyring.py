"""Which key signs and which ones verify: the newest signs, each older one verifies until all that it signed is over."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import structlog

from main.resources.tokens.signing import generate, take_secret
from main.service.errors import Unavailable
from main.service.model import KeyState, KeyView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from main.resources.tokens.folder import KeyFolder
    from main.resources.tokens.signing import SigningKey
    from main.util.clock import Clock
    from main.util.secret import Secret

LOOK = 10.0  # seconds after which a process looks for changes
FOLLOW = dt.timedelta(seconds=60)  # within which every process signs with a new key

_log = structlog.get_logger("keys")


class Keys(Protocol):
    """The keys that tokens are signed and verified with."""

    def secure(self) -> None:
        """Make sure that there is one."""

    def signer(self) -> SigningKey:
        """Give the key that signs."""

    def find(self, kid: str) -> SigningKey | None:
        """Give the key of this name, while it verifies."""

    def verifying(self) -> Sequence[SigningKey]:
        """Give all that verify, the one that signs first."""


class GivenKey:
    """The one key of a secret that the settings give."""

    def __init__(self, secret: Secret) -> None:
        self._key = take_secret(secret)

    def secure(self) -> None:
        """Do nothing: the settings have it."""

    def signer(self) -> SigningKey:
        """Give the key."""
        return self._key

    def find(self, kid: str) -> SigningKey | None:
        """Give the key, when that is its name."""
        return self._key if kid == self._key.kid else None

    def verifying(self) -> Sequence[SigningKey]:
        """Give the key."""
        return (self._key,)

    def views(self) -> Sequence[KeyView]:
        """Show the key."""
        return (KeyView(kid=self._key.kid, algorithm=self._key.algorithm, state=KeyState.SIGNING),)

    def rotate(self, *, at_once: bool = False) -> KeyView:
        """Refuse.

        Raises:
            Unavailable: always.
        """
        when = "at once" if at_once else "then"
        raise Unavailable(f"auth.secret gives the signing key: change it there and restart; its tokens end {when}.")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look found: the keys by name, newest first, and until when each verifies."""

    keys: Mapping[str, SigningKey]
    unreadable: frozenset[str]
    until: Mapping[str, dt.datetime]
    at: float


class KeyRing:
    """Keys in a folder that all processes share; ``life`` is the longest life of a token."""

    def __init__(self, folder: KeyFolder, algorithm: str, life: dt.timedelta, clock: Clock) -> None:
        self._folder = folder
        self._algorithm = algorithm
        self._life = life
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: _Seen | None = None

    def secure(self) -> None:
        """Close the folder to others and make a key of the configured algorithm, where the newest is none.

        Raises:
            Unavailable: the folder cannot be used.
        """
        self._folder.secure()
        with self._folder.alone():
            newest = self._newest(self._look())
            if newest is None or newest.algorithm != self._algorithm:
                self._make(newest)

    def signer(self) -> SigningKey:
        """Give the key that signs.

        Raises:
            Unavailable: the folder cannot be used.
        """
        newest = self._newest(self._recent())
        if newest is None:
            self.secure()
            newest = self._newest(self._recent())
        if newest is None:
            raise Unavailable("There is no signing key.")
        return newest

    def find(self, kid: str) -> SigningKey | None:
        """Give the key of this name, while it verifies; one that this process does not know yet is looked for at once.

        A flood of invented names costs no more than asking whether there is such a file.

        Raises:
            Unavailable: the folder cannot be used.
        """
        seen = self._recent()
        if kid not in seen.keys and kid not in seen.unreadable and self._folder.has(kid):
            seen = self._look(missed=seen)
        return seen.keys.get(kid) if self._verifies(seen, kid) else None

    def verifying(self) -> Sequence[SigningKey]:
        """Give all that verify, the one that signs first.

        Raises:
            Unavailable: the folder cannot be used.
        """
        seen = self._recent()
        return [key for kid, key in seen.keys.items() if self._verifies(seen, kid)]

    def views(self) -> Sequence[KeyView]:
        """Show every key that is kept, newest first.

        Raises:
            Unavailable: the folder cannot be used.
        """
        seen = self._look()
        return [self._view(seen, key) for key in seen.keys.values()]

    def rotate(self, *, at_once: bool = False) -> KeyView:
        """Make a new key, which signs from now on; forget those that are retired, or ``at_once`` all older ones.

        Raises:
            Unavailable: the folder cannot be used.
        """
        self._folder.secure()
        with self._folder.alone():
            before = self._look()
            for kid in list(before.keys):
                if at_once or not self._verifies(before, kid):
                    self._folder.remove(kid)
            made = self._make(self._newest(before))
        return self._view(self._look(), made)

    def _make(self, newest: SigningKey | None) -> SigningKey:
        now = self._clock.now()
        if newest is not None:
            # The newest signs, even when the machine's clock was set back.
            now = max(now, newest.created_at + dt.timedelta(milliseconds=1))
        key = generate(self._algorithm, now)
        self._folder.write(key)
        _log.info("keys.made", kid=key.kid, algorithm=key.algorithm)
        self._look()
        return key

    def _recent(self) -> _Seen:
        seen = self._seen
        return seen if seen is not None and self._clock.monotonic() - seen.at < LOOK else self._look(missed=seen)

    def _look(self, missed: _Seen | None = None) -> _Seen:
        with self._lock:
            if missed is not None and self._seen is not None and self._seen is not missed:
                return self._seen  # another thread has looked while this one waited
            at = self._clock.monotonic()
            found = self._folder.read()
            keys = sorted((key for key in found.values() if key), key=lambda key: (key.created_at, key.kid), reverse=True)
            unreadable = frozenset(kid for kid, key in found.items() if key is None)
            self._seen = _Seen({key.kid: key for key in keys}, unreadable, self._ends(keys), at)
            return self._seen

    def _ends(self, keys: Sequence[SigningKey]) -> dict[str, dt.datetime]:
        """Give when each key stops: processes may sign with it until they follow, and what they sign then lives as long as any token."""
        return {key.kid: successor.created_at + FOLLOW + self._life for successor, key in pairwise(keys)}

    def _verifies(self, seen: _Seen, kid: str) -> bool:
        until = seen.until.get(kid)
        return until is None or self._clock.now() < until

    def _newest(self, seen: _Seen) -> SigningKey | None:
        return next(iter(seen.keys.values()), None)

    def _view(self, seen: _Seen, key: SigningKey) -> KeyView:
        until = seen.until.get(key.kid)
        state = KeyState.SIGNING if until is None else KeyState.RETIRED
        if until is not None and self._verifies(seen, key.kid):
            state = KeyState.VERIFYING
        return KeyView(kid=key.kid, algorithm=key.algorithm, state=state, created_at=key.created_at, until=until)
