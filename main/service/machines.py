"""Keys for machines: given out once, kept as digests, known again by them."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from typing import TYPE_CHECKING

from cachetools import TTLCache

from main.service.errors import InvalidQuery, NotFound, Unauthenticated
from main.service.model import ApiKey, Caller, CallerKind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from main.service.model import Role
    from main.service.ports.doors import AccountStore
    from main.util.clock import Clock

PREFIX = "aisle_"  # tells a key from a token, and lets scanners find one that leaked
HELD = 0.5  # seconds for which a process believes what the store said of a key
_MOST_HELD = 1024
_SECRET_BYTES = 32
_ID_BYTES = 6
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def digest_key(text: str) -> bytes:
    """Give what a key is kept as. It is random and long, so a plain hash says nothing about it."""
    return hashlib.sha256(text.encode()).digest()


class MachineKeys:
    """Gives keys out, lists and ends them, and knows who brings one."""

    def __init__(self, store: AccountStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._held: TTLCache[bytes, ApiKey] = TTLCache(_MOST_HELD, HELD, clock.monotonic)

    def issue(self, name: str, role: Role, lasts: dt.timedelta | None) -> tuple[ApiKey, str]:
        """Make a key and give it, for the only time, with how it is listed.

        Raises:
            InvalidQuery: the name is none.
            StoreDown: the store cannot be written.
        """
        if not _NAME.match(name):
            raise InvalidQuery({"name": ["1 to 64 of A-Z a-z 0-9 . _ -, starting with a letter or digit"]})
        text, now = PREFIX + secrets.token_urlsafe(_SECRET_BYTES), self._clock.now()
        until = now + lasts if lasts is not None else None
        key = ApiKey(id=secrets.token_hex(_ID_BYTES), name=name, role=role, created_at=now, expires_at=until)
        self._store.add_key(key, digest_key(text))
        return key, text

    def find_all(self) -> Sequence[ApiKey]:
        """Give all keys, newest first, those that are over or ended as well.

        Raises:
            StoreDown: the store does not answer.
        """
        return self._store.keys()

    def revoke(self, key_id: str) -> None:
        """End a key; every process refuses it within a second.

        Raises:
            NotFound: there is none with this id.
            StoreDown: the store cannot be written.
        """
        if not self._store.revoke_key(key_id, self._clock.now()):
            raise NotFound("key", key_id)

    def know(self, text: str) -> Caller:
        """Tell which machine a key belongs to.

        Raises:
            Unauthenticated: it is none of ours, over, or ended.
            StoreDown: the store does not answer.
        """
        key = self._find(text) if _FORM.match(text) else None
        now = self._clock.now()
        if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            raise Unauthenticated.invalid()
        return Caller(name=key.name, kind=CallerKind.KEY, role=key.role, token_id=key.id)

    def _find(self, text: str) -> ApiKey | None:
        digest = digest_key(text)
        with self._lock:
            key = self._held.get(digest)
        if key is None:
            key = self._store.find_key(digest)
            if key is not None:
                self._store.touch_key(key.id, self._clock.now())
                with self._lock:
                    self._held[digest] = key
        return key
