"""An account store."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from main.service.errors import NameTaken, StoreDown
from main.service.model import Account
from main.service.ports.doors import Revocations
from main.util.text import fold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from typing import Any

    from main.service.model import ApiKey, Role


@dataclass
class Family:
    """A login's refresh tokens."""

    account_id: int
    current: str
    until: dt.datetime
    ended: bool = False


@dataclass
class MemoryAccounts:
    """An account store in memory."""

    accounts: dict[int, Account] = field(default_factory=dict)
    families: dict[str, Family] = field(default_factory=dict)
    api_keys: dict[bytes, ApiKey] = field(default_factory=dict)
    last_id: int = 0
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def open(self) -> None:
        self._require()

    def ping(self) -> None:
        self._require()

    def close(self) -> None:
        """Hold nothing."""

    def add(self, username: str, password_hash: str, role: Role, now: dt.datetime, *, wanted_id: int | None = None) -> Account:
        with self.lock:
            if self.find(username) is not None:
                raise NameTaken("There is an account of this name already.")
            number = wanted_id if wanted_id and wanted_id not in self.accounts else self.last_id + 1
            self.last_id = max(self.last_id, number)
            made = Account(
                id=number,
                username=username,
                role=role,
                enabled=True,
                generation=1,
                created_at=now,
                password_hash=password_hash,
            )
            self.accounts[number] = made
            return made

    def find(self, username: str) -> Account | None:
        self._require()
        return next((one for one in self.find_all() if fold(one.username) == fold(username)), None)

    def get(self, account_id: int) -> Account | None:
        self._require()
        return self.accounts.get(account_id)

    def find_all(self) -> Sequence[Account]:
        self._require()
        return sorted(self.accounts.values(), key=lambda one: fold(one.username))

    def set_password(self, account_id: int, password_hash: str, *, revoke: bool, instead_of: str | None = None) -> None:
        with self.lock:
            found = self.get(account_id)
            if found is not None and instead_of in {None, found.password_hash}:
                self._change(account_id, revoke=revoke, password_hash=password_hash)

    def set_enabled(self, account_id: int, *, enabled: bool) -> None:
        self._change(account_id, revoke=not enabled, enabled=enabled)

    def start_family(self, account_id: int, family: str, token_id: str, until: dt.datetime) -> None:
        self._require()
        self.families[family] = Family(account_id, token_id, until)

    def rotate(self, family: str, token_id: str, next_id: str, now: dt.datetime) -> bool:
        self._require()
        with self.lock:
            found = self.families.get(family)
            if found is None or found.ended or found.until <= now:
                return False
            found.ended = found.current != token_id
            found.current = next_id
            return not found.ended

    def has_family(self, family: str, now: dt.datetime) -> bool:
        self._require()
        found = self.families.get(family)
        return found is not None and not found.ended and found.until > now

    def end_family(self, family: str) -> None:
        self._require()
        if family in self.families:
            self.families[family].ended = True

    def revocations(self) -> Revocations:
        self._require()
        ended = frozenset(name for name, family in self.families.items() if family.ended)
        return Revocations(ended, {one.id: one.generation if one.enabled else None for one in self.accounts.values()})

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        self._require()
        self.api_keys[digest] = key

    def find_key(self, digest: bytes) -> ApiKey | None:
        self._require()
        return self.api_keys.get(digest)

    def keys(self) -> Sequence[ApiKey]:
        self._require()
        return sorted(self.api_keys.values(), key=lambda key: key.created_at, reverse=True)

    def touch_key(self, key_id: str, now: dt.datetime) -> None:
        self._replace_key(key_id, last_used_at=now)

    def revoke_key(self, key_id: str, now: dt.datetime) -> bool:
        self._require()
        return any(self._replace_key(key.id, revoked_at=key.revoked_at or now) for key in self.keys() if key.id == key_id)

    def _replace_key(self, key_id: str, **changes: Any) -> bool:
        with self.lock:
            found = [digest for digest, key in self.api_keys.items() if key.id == key_id]
            for digest in found:
                self.api_keys[digest] = replace(self.api_keys[digest], **changes)
            return bool(found)

    def _change(self, account_id: int, *, revoke: bool, **changes: Any) -> None:
        self._require()
        with self.lock:
            if account_id in self.accounts:
                old = self.accounts[account_id]
                self.accounts[account_id] = replace(old, generation=old.generation + revoke, **changes)
            for family in self.families.values():
                family.ended |= revoke and family.account_id == account_id

    def _require(self) -> None:
        if self.down:
            raise StoreDown
