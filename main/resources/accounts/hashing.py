"""Hashes passwords with Argon2id (RFC 9106), a few at a time, so that a flood of logins leaves the machine to the catalogue."""

from __future__ import annotations

import base64
import secrets
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError, VerificationError

from main.service.errors import Unavailable
from main.util.quiet import run_quietly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.resources.accounts.turns import MachineTurns
    from main.service.model import HashRules

_RETRY_AFTER = 2  # seconds
PATIENCE = 1.0  # seconds for which a request waits for its turn
_SALT, _HASH = 16, 32  # bytes
_EXPECTED = (Argon2Error, InvalidHashError)


class ArgonHasher:
    """Hashes and checks passwords; each process does ``slots`` at a time, and lets as many wait.

    More are refused at once: a thread that waits is one that the catalogue cannot use. With ``turns``, no more are hashed by all processes together
    than those allow: with a hash for each worker, a flood of logins would take every processor there is. Whatever is hashed, whoever wants the processor for something else goes first.
    A turn is waited for ``patience`` seconds.
    """

    def __init__(
        self, rules: HashRules, slots: int = 1, turns: MachineTurns | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._rules = rules
        self._turns = turns
        self._patience = patience
        self._argon = PasswordHasher(
            time_cost=rules.time,
            memory_cost=rules.memory // 1024,
            parallelism=rules.parallelism,
            salt_len=_SALT,
            hash_len=_HASH,
            type=Type.ID,
        )
        self._places = threading.BoundedSemaphore(slots * 2)
        self._slots = threading.BoundedSemaphore(slots)

    def hash(self, password: str) -> str:
        """Give the hash of a password, with its salt and parameters in it.

        Raises:
            Unavailable: too many are being hashed.
        """
        with self._turn():
            return run_quietly(lambda: self._argon.hash(_encode(password)), expected=_EXPECTED)

    def verify(self, password_hash: str, password: str) -> bool:
        """Tell whether a password is the one that was hashed.

        Raises:
            Unavailable: too many are being hashed.
        """
        with self._turn():
            try:
                return run_quietly(lambda: self._argon.verify(password_hash, _encode(password)), expected=_EXPECTED)
            except (VerificationError, InvalidHashError):
                return False

    def needs_rehash(self, password_hash: str) -> bool:
        """Tell whether a hash is cheaper than the settings ask for now."""
        try:
            found = extract_parameters(password_hash)
        except InvalidHashError:
            return True
        wanted = (self._rules.memory // 1024, self._rules.time)
        return found.type is not Type.ID or any(
            have < want for have, want in zip((found.memory_cost, found.time_cost), wanted, strict=True)
        )

    def decoy(self) -> str:
        """Give a hash that no password has and that takes as long to check as a real one."""
        rules = self._rules
        salt, digest = (base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (_SALT, _HASH))
        return f"$argon2id$v=19$m={rules.memory // 1024},t={rules.time},p={rules.parallelism}${salt}${digest}"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise _too_many()
        try:
            if not self._slots.acquire(timeout=self._patience):
                raise _too_many()
            try:
                with self._machine_turn():
                    yield
            finally:
                self._slots.release()
        finally:
            self._places.release()

    @contextmanager
    def _machine_turn(self) -> Iterator[None]:
        end = self._turns.take(self._patience) if self._turns is not None else _nothing
        if end is None:
            raise _too_many()
        try:
            yield
        finally:
            end()


def _nothing() -> None:
    """End a turn that nobody shares."""


def _too_many() -> Unavailable:
    return Unavailable("Too many passwords are being checked at the moment.", retry_after=_RETRY_AFTER)


def _encode(password: str) -> bytes:
    # Half of a surrogate pair can stand in JSON; it is a character like another here.
    return password.encode("utf-8", "surrogatepass")
