"""What accounts, tokens, limits and repeated requests need from the outside, as protocols; resources implement them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from main.service.ports import Resource

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from main.service.model import Account, ApiKey, Begun, Caller, Claim, Count, Reply, Role, TokenPair


class AccountStore(Resource, Protocol):
    """Accounts and what was given out to them; every process of the installation sees the same. Safe from several threads.

    Every method raises StoreDown when the store does not answer.
    """

    def add(self, username: str, password_hash: str, role: Role, now: dt.datetime, *, wanted_id: int | None = None) -> Account:
        """Make an account, with the wanted id if it is free; ids count up and are never given twice.

        Raises:
            NameTaken: there is one of this name already (upper and lower case are the same).
        """

    def find(self, username: str) -> Account | None:
        """Give the account of this name, upper and lower case being the same."""

    def get(self, account_id: int) -> Account | None:
        """Give the account with this id."""

    def find_all(self) -> Sequence[Account]:
        """Give all accounts by name."""

    def set_password(self, account_id: int, password_hash: str, *, revoke: bool, instead_of: str | None = None) -> None:
        """Change an account's hash; ``revoke`` ends every token given so far as well (a rehash of the same password does not).

        With ``instead_of``, nothing is changed where the hash is no longer that one.
        """

    def set_enabled(self, account_id: int, *, enabled: bool) -> None:
        """Switch an account on or off; off ends every token given so far."""

    def start_family(self, account_id: int, family: str, token_id: str, until: dt.datetime) -> None:
        """Begin a login's family of refresh tokens, of which this one is the one that may be used."""

    def rotate(self, family: str, token_id: str, next_id: str, now: dt.datetime) -> bool:
        """Put the next refresh token in the place of this one, as one step.

        False, and the family ends, when this one is not the current one; False also when the family has ended or is over.
        """

    def has_family(self, family: str, now: dt.datetime) -> bool:
        """Tell whether a login goes on: it has begun, was not ended and is not over."""

    def end_family(self, family: str) -> None:
        """End a login: its refresh tokens and its access tokens."""

    def revocations(self) -> Revocations:
        """Give what access tokens are held against, cheaply: a version that moves with every change, ended families, generations."""

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        """Keep a machine's key by its digest."""

    def find_key(self, digest: bytes) -> ApiKey | None:
        """Give the key with this digest, also when it was revoked or is over."""

    def keys(self) -> Sequence[ApiKey]:
        """Give all keys, newest first."""

    def touch_key(self, key_id: str, now: dt.datetime) -> None:
        """Note that a key was used, to about five minutes. Never waits and never raises: a note may be lost."""

    def revoke_key(self, key_id: str, now: dt.datetime) -> bool:
        """End a key; False when there is none. One that ended before keeps its time."""


@dataclass(frozen=True, slots=True)
class Revocations:
    """What ends tokens before their time: families that were ended, and each account's generation (None: disabled)."""

    ended: frozenset[str]
    generations: Mapping[int, int | None]


class Door(Protocol):
    """Lets callers in: what the HTTP layer needs of accounts and tokens."""

    def login(self, username: str, password: str) -> tuple[TokenPair, Caller]:
        """Give tokens for a right password.

        Raises:
            Unauthenticated: wrong credentials, in one and the same way whether or not the account exists or is enabled.
        """

    def refresh(self, token: str) -> tuple[TokenPair, Caller]:
        """Give new tokens for a refresh token, which works once; using it again ends its whole family.

        Raises:
            Unauthenticated: it is none, over, used or ended.
        """

    def renew(self, caller: Caller) -> TokenPair | None:
        """Give the next token for a browser's cookie, where the caller's own is past half its life and the login goes on."""

    def logout(self, caller: Caller) -> None:
        """End the caller's login."""

    def know(self, token: str) -> Caller:
        """Tell who an access token, or a machine's key, belongs to.

        Raises:
            Unauthenticated: it is none of ours, over, or ended.
        """

    def public_keys(self) -> Mapping[str, Any]:
        """Give the JWK set (RFC 7517) of the public keys in use; empty where tokens are signed by a shared secret."""


class HitCounters(Protocol):
    """Numbers by key that all workers share, each for a window that begins with the first count. No method raises: what cannot be counted is 0."""

    def add(self, key: str, window: float) -> Count:
        """Count one more and give what that makes; the first one begins a window of so many seconds."""

    def read(self, key: str) -> Count:
        """Give what was counted in the open window, if there is one."""

    def drop(self, key: str) -> None:
        """End a window."""


class Replies(Protocol):
    """What was answered to requests that carried a key, so that a repeated one is answered alike; all workers share it.

    Every method raises StoreDown when the store does not answer.
    """

    def begin(self, claim: Claim, now: dt.datetime) -> Begun:
        """Take a key for a request, unless it was taken before; tells which. What a process that has died had taken is free again."""

    def finish(self, claim: Claim, reply: Reply, now: dt.datetime) -> None:
        """Keep the answer, if the key is still the claim's."""

    def release(self, claim: Claim) -> None:
        """Give the key back without an answer, if it is still the claim's."""
