"""Who may come in: accounts, what they may do, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


class Role(StrEnum):
    """What somebody may do: each role may do what those before it may."""

    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"

    def allows(self, needed: Role) -> bool:
        """Tell whether this role may do what takes the other."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may log in; ``generation`` rises whenever every token given so far must stop working."""

    id: int
    username: str
    role: Role
    enabled: bool
    generation: int
    created_at: dt.datetime
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HashRules:
    """What hashing a password costs (Argon2id, RFC 9106): bytes of memory, passes over it, lanes."""

    memory: int = 19 * 1024**2
    time: int = 2
    parallelism: int = 1


class CallerKind(StrEnum):
    """How a caller is known."""

    ANONYMOUS = "anonymous"
    ACCOUNT = "account"
    KEY = "key"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class CookieLife:
    """What a browser's token says of itself: when its login was, when it is over, and the account's generation it was given in."""

    login_at: int
    over_at: int
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking: ``session`` names the family of tokens of an account's login, ``token_id`` the token itself (jti).

    ``cookie`` is there where the token was made for a browser's cookie.
    """

    name: str
    kind: CallerKind
    role: Role | None
    account_id: int | None = None
    session: str | None = None
    token_id: str | None = None
    cookie: CookieLife | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """Names the caller in limits and idempotency keys."""
        return f"{self.kind}:{self.name}"


NOBODY = Caller(name="anonymous", kind=CallerKind.ANONYMOUS, role=None)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login gives: an access token for ``expires_in`` seconds, and a refresh token to get the next.

    ``cookie`` is the token for a browser's cookie, where that is another one: it alone is renewed by being used.
    """

    access_token: str = field(repr=False)
    expires_in: int = 0
    refresh_token: str = field(default="", repr=False)
    cookie: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key for a machine, as it may be listed: never the key itself."""

    id: str
    name: str
    role: Role
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None = None
    last_used_at: dt.datetime | None = None
