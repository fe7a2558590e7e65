"""A provider's keys: in memory, in a last-good copy that all processes of the data folder share, and fetched now and then."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from typing import TYPE_CHECKING

import structlog

from main.resources.tokens.keysets import read_key_set
from main.service.errors import Unavailable, UpstreamError
from main.util.files import read_text, write_whole
from main.util.threads import try_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import jwt

    from main.service.model import Provider
    from main.util.clock import Clock

    Fetch = Callable[[str], bytes]

THROTTLE = 30.0  # seconds between two fetches of one provider's keys, by whichever process
PATIENCE = 2.5  # seconds to wait for another thread's first fetch, which ends by its own deadline before
FRESH = 600.0  # seconds after which keys are fetched again, behind the callers' backs

_log = structlog.get_logger("providers")


class ProviderKeys:
    """The keys of one provider. What was good once serves until something better comes; safe to use from several threads."""

    def __init__(self, provider: Provider, folder: Path, fetch: Fetch, clock: Clock) -> None:
        self._provider = provider
        self._fetch = fetch
        self._clock = clock
        name = hashlib.sha256(f"{provider.issuer}\0{provider.jwks_url}".encode()).hexdigest()[:32]
        self._copy = folder / f"{name}.json"
        self._turn = folder / f"{name}.turn"
        self._fetching = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._stamp: int | None = None
        self._checked = -THROTTLE

    def find(self, kid: str) -> jwt.PyJWK | None:
        """Give the key of this name. Only a caller who brings an unknown one may wait for a fetch, and only one at a time.

        Raises:
            Unavailable: no keys were ever to be had.
        """
        if kid not in self._keys:
            self._take_copy()
        if kid not in self._keys:
            self.refresh()
        elif self._clock.monotonic() - self._checked >= THROTTLE:
            self._checked = self._clock.monotonic()
            self._refresh_behind()
        if not self._keys:
            raise Unavailable("The identity provider's keys cannot be had now.", retry_after=int(THROTTLE))
        return self._keys.get(kid)

    def start(self) -> None:
        """Take the last-good copy, and fetch behind the callers' backs where it is missing or old."""
        self._take_copy()
        self._refresh_behind()

    def refresh(self) -> None:
        """Fetch the keys, unless somebody does or has lately; who has none at all waits for what is being fetched."""
        if not self._fetching.acquire(timeout=0 if self._keys else PATIENCE):
            return
        try:
            if self._take_turn(THROTTLE):
                self._replace()
        finally:
            self._fetching.release()

    def _refresh_behind(self) -> None:
        """Fetch the keys in a thread of its own when the copy is old; at most one such thread runs."""
        self._take_copy()
        if self._keys and self._age() < FRESH:
            return
        told = {"issuer": self._provider.issuer, "kept": len(self._keys)}
        try_thread("provider-keys", self.refresh, _log, "provider.thread_refused", **told)

    def _replace(self) -> None:
        try:
            text = self._fetch(self._provider.jwks_url)
            keys = read_key_set(text, self._provider.algorithms)
        except (UpstreamError, ValueError) as error:
            _log.warning("provider.keys_failed", issuer=self._provider.issuer, error=str(error), kept=len(self._keys))
            return
        self._keys = keys
        try:
            write_whole(self._copy, text.decode())
        except OSError as error:
            _log.warning("provider.copy_failed", issuer=self._provider.issuer, error=error.strerror)

    def _take_copy(self) -> None:
        """Take what any process fetched last, when it is not what this one has."""
        try:
            stamp = self._copy.stat().st_mtime_ns
        except OSError:
            return
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = read_key_set(read_text(self._copy).encode(), self._provider.algorithms)
        except ValueError as error:
            _log.warning("provider.copy_unreadable", issuer=self._provider.issuer, error=str(error))

    def _age(self) -> float:
        found = read_text(self._turn)
        return self._clock.timestamp() - float(found) if _is_number(found) else FRESH

    def _take_turn(self, seconds: float) -> bool:
        """Tell whether it is this process's turn to fetch: nobody has tried within so many seconds."""
        try:
            self._turn.parent.mkdir(0o700, parents=True, exist_ok=True)
            file = os.open(self._turn, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            _log.warning("provider.turn_failed", issuer=self._provider.issuer, error=error.strerror)
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            found, now = os.pread(file, 64, 0).decode("ascii", "replace"), self._clock.timestamp()
            if _is_number(found) and 0 <= now - float(found) < seconds:
                return False
            os.ftruncate(file, 0)
            os.pwrite(file, f"{now:.3f}".encode(), 0)
            return True
        finally:
            os.close(file)


def _is_number(text: str) -> bool:
    digits = text.replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
