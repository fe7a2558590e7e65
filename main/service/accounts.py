"""Accounts: who there is, and whether a password is somebody's."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import structlog

from main.service.errors import InvalidAccount, NameTaken, NotFound, Unavailable
from main.service.model import Role
from main.service.oldusers import read_old_users
from main.service.passwords import LONGEST, find_fault, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from main.service.model import Account
    from main.service.oldusers import OldUser
    from main.service.ports.doors import AccountStore
    from main.util.clock import Clock

FIRST_ADMIN = "admin"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_GROUPS, _GROUP = 5, 5
_LONGEST_TRIED = 4 * LONGEST  # characters, before two are composed to one; what is longer is nobody's password

_log = structlog.get_logger("accounts")


class Hasher(Protocol):
    """Hashes passwords, slowly on purpose. Safe to use from several threads; raises Unavailable when too many ask at once."""

    def hash(self, password: str) -> str:
        """Give the hash of a password, with its salt and parameters in it."""

    def verify(self, password_hash: str, password: str) -> bool:
        """Tell whether a password is the one that was hashed."""

    def needs_rehash(self, password_hash: str) -> bool:
        """Tell whether a hash is cheaper than the settings ask for now."""

    def decoy(self) -> str:
        """Give a hash that no password has and that takes as long to check as a real one."""


class FirstPassword(Protocol):
    """Where the password of the very first account is shown, once."""

    def show(self, username: str, password: str) -> None:
        """Let the person who started Aisle see it, and nobody else."""

    def forget(self) -> None:
        """Remove what was kept of it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one entry of an old users.json: the account, or why there is none; ``remark`` is for a person to read."""

    name: str
    account: Account | None
    remark: str = ""


class AccountService:
    """Makes, changes and knows accounts; ``password_min`` is how many characters a new password must have."""

    def __init__(
        self, store: AccountStore, hasher: Hasher, first: FirstPassword, clock: Clock, *, password_min: int = 15
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._first = first
        self._clock = clock
        self._least = password_min

    def check_new(self, username: str) -> None:
        """Return when an account of this name could be added.

        Raises:
            InvalidAccount: the name is not allowed.
            NameTaken: there is one of this name already.
        """
        if not _NAME.match(username):
            raise InvalidAccount(
                "The username is not allowed; allowed: 1 to 64 of a-z, A-Z, 0-9 and . _ @ + -, starting with a letter or digit."
            )
        if self._store.find(username) is not None:
            raise NameTaken("There is an account of this name already.")

    def add(self, username: str, password: str, role: Role) -> Account:
        """Make an account.

        Raises:
            InvalidAccount: its name or its password is not allowed.
            NameTaken: there is one of this name already.
            Unavailable: the store does not answer, or too many passwords are being hashed.
        """
        self.check_new(username)
        self._check(password, username)
        made = self._store.add(username, self._hash(password), role, self._clock.now())
        _log.info("accounts.added", account=made.id, role=role.value)
        return made

    def find_all(self) -> Sequence[Account]:
        """Give all accounts by name."""
        return self._store.find_all()

    def get(self, username: str) -> Account:
        """Give the account of this name.

        Raises:
            NotFound: there is none.
        """
        found = self._store.find(username)
        if found is None:
            raise NotFound("account", username)
        return found

    def change_password(self, username: str, password: str) -> Account:
        """Give an account another password, which ends every token it was given so far.

        Raises:
            NotFound: there is no such account.
            InvalidAccount: the password is not allowed.
        """
        account = self.get(username)
        self._check(password, account.username)
        self._store.set_password(account.id, self._hash(password), revoke=True)
        if account.username == FIRST_ADMIN:
            self._first.forget()
        _log.info("accounts.password_changed", account=account.id)
        return account

    def set_enabled(self, username: str, *, enabled: bool) -> Account:
        """Switch an account on or off; off ends every token it was given so far.

        Raises:
            NotFound: there is no such account.
        """
        account = self.get(username)
        self._store.set_enabled(account.id, enabled=enabled)
        _log.info("accounts.switched", account=account.id, enabled=enabled)
        return replace(account, enabled=enabled)

    def verify(self, username: str, password: str) -> Account | None:
        """Give the account that has this name and this password, if it may log in.

        It takes the same time whether the name, the password or neither is right. A hash that is cheaper than the settings ask
        for now is made anew.

        Raises:
            Unavailable: the store does not answer, or too many passwords are being checked.
        """
        if len(password) > _LONGEST_TRIED:
            password = ""
        account = self._store.find(username)
        known = self._hasher.decoy() if account is None else account.password_hash
        right = self._hasher.verify(known, prepare(password))
        if account is None or not right or not account.enabled:
            return None
        if self._hasher.needs_rehash(known):
            self._rehash(account, password)
        return account

    def ensure_first_admin(self) -> bool:
        """Make an admin with a random password, and show that once, where there is no account at all; tell whether it was made."""
        if self._store.find_all():
            return False
        password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        try:
            self._store.add(FIRST_ADMIN, self._hash(password), Role.ADMIN, self._clock.now())
        except NameTaken:  # by another process that starts at the same moment, and that shows its password
            return False
        self._first.show(FIRST_ADMIN, password)
        return True

    def take_over(self, text: bytes, *, role: Role = Role.READER, allow_weak: bool = False) -> Iterator[Imported]:
        """Make accounts of an old users.json and tell of each entry, as it is done, what became of it.

        ``role`` is for entries that name none. Ids are kept where they are free. Weak passwords are left out unless they are allowed.

        Raises:
            InvalidAccount: the file is no list in JSON.
        """
        users = read_old_users(text)
        return (self._take_over(user, role, allow_weak=allow_weak) for user in users)

    def _take_over(self, user: OldUser, role: Role, *, allow_weak: bool) -> Imported:
        fault = user.fault or _find_role_fault(user.role)
        if fault:
            return Imported(user.name, None, fault)
        weak = find_fault(user.password, user.name, self._least)
        if weak and (not allow_weak or len(user.password) > LONGEST):
            return Imported(user.name, None, f"the password {weak}")
        try:
            self.check_new(user.name)
            made = self._store.add(
                user.name, self._hash(user.password), Role(user.role or role), self._clock.now(), wanted_id=user.id
            )
        except (InvalidAccount, NameTaken) as error:
            return Imported(user.name, None, str(error))
        moved = f"id {user.id} was taken" if user.id not in {None, made.id} else ""
        return Imported(user.name, made, "; ".join(filter(None, (f"weak: the password {weak}" if weak else "", moved))))

    def _check(self, password: str, username: str) -> None:
        fault = find_fault(password, username, self._least)
        if fault:
            raise InvalidAccount(f"The password {fault}.")

    def _hash(self, password: str) -> str:
        return self._hasher.hash(prepare(password))

    def _rehash(self, account: Account, password: str) -> None:
        try:
            self._store.set_password(account.id, self._hash(password), revoke=False, instead_of=account.password_hash)
        except Unavailable as error:  # the next login does it
            _log.warning("accounts.not_rehashed", account=account.id, error=str(error))
        else:
            _log.info("accounts.rehashed", account=account.id)


def _find_role_fault(role: str | None) -> str | None:
    if role is None or role in list(Role):
        return None
    return f"has a role that there is not; allowed: {', '.join(Role)}"
