"""Lets callers in: logins, the tokens they give, and who brings one."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from main.service.errors import Unauthenticated
from main.service.machines import PREFIX
from main.service.model import Caller, CallerKind, CookieLife, Role, TokenPair
from main.service.ports import Resource
from main.util.ids import new_id

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from main.service.machines import MachineKeys
    from main.service.model import Account, TokenTerms
    from main.service.ports.doors import AccountStore
    from main.util.clock import Clock

WRONG = "Username or password is wrong"
_SECRET_BYTES = 32
# A family names its account and that account's generation; nobody can make one up, for the store knows each by its random end.
_REFRESH = re.compile(
    r"(?P<family>(?P<account>[1-9][0-9]{0,17})-(?P<generation>[0-9]{1,18})-[0-9a-f]{32})\.[A-Za-z0-9_-]{43}\Z"
)


class Passwords(Protocol):
    """Checks passwords."""

    def verify(self, username: str, password: str) -> Account | None:
        """Give the account when the password is right and the account enabled; else None, after the same time."""


class TokenCodec(Resource, Protocol):
    """Signs access tokens and reads them back. Safe to use from several threads."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Give a token of these claims, to which issuer and audience are added.

        Raises:
            Unavailable: the signing keys cannot be had.
        """

    def read(self, token: str) -> Mapping[str, Any]:
        """Give the claims of an access token of ours, whose signature, times, issuer and audience are right.

        Raises:
            Unauthenticated: it is none.
            Unavailable: the signing keys cannot be had.
        """

    def public_keys(self) -> Mapping[str, Any]:
        """Give the JWK set of the public keys that verify."""


class Outsiders(Resource, Protocol):
    """Tokens of identity providers that the settings trust. Safe to use from several threads."""

    def know(self, token: str) -> Caller | None:
        """Tell who a provider's token belongs to; None where no provider that is trusted says that it issued it.

        Raises:
            Unauthenticated: it says so, and is forged, over or not for us.
            Unavailable: the provider's keys were never to be had so far.
        """


@dataclass(frozen=True, slots=True)
class DoorTools:
    """What a door works with."""

    passwords: Passwords
    accounts: AccountStore
    machines: MachineKeys
    codec: TokenCodec
    outsiders: Outsiders


class DoorService:
    """The door: implements the port, and is opened and closed like any component."""

    def __init__(self, tools: DoorTools, terms: TokenTerms, clock: Clock) -> None:
        self._tools = tools
        self._terms = terms
        self._clock = clock

    def open(self) -> None:
        """Make sure that there is a key to sign with.

        Raises:
            Unavailable: there cannot be one.
        """
        self._tools.codec.open()
        self._tools.outsiders.open()

    def ping(self) -> None:
        """Return when tokens can be signed.

        Raises:
            Unavailable: they cannot.
        """
        self._tools.codec.ping()

    def close(self) -> None:
        """Give back what is held."""
        self._tools.outsiders.close()
        self._tools.codec.close()

    def login(self, username: str, password: str) -> tuple[TokenPair, Caller]:
        """Give tokens for a right password.

        Raises:
            Unauthenticated: wrong credentials, whichever of them, and whether or not the account is enabled.
            Unavailable: the store or the signing keys cannot be had.
        """
        account = self._tools.passwords.verify(username, password)
        if account is None or not account.enabled:
            raise Unauthenticated(WRONG)
        family, secret = f"{account.id}-{account.generation}-{new_id()}", _new_secret()
        now = self._clock.now()
        self._tools.accounts.start_family(account.id, family, _name(secret), now + self._terms.refresh)
        pair, caller = self._give(account, family, secret)
        # A token of its own: what stands in a script or a log for its quarter of an hour cannot be made to last by use.
        cookie = self._tools.codec.sign({**self._claim(account, family), "auth_time": _seconds(now)})
        return replace(pair, cookie=cookie), caller

    def refresh(self, token: str) -> tuple[TokenPair, Caller]:
        """Give new tokens for a refresh token, which works once; using it again ends its whole family.

        Raises:
            Unauthenticated: it is none, over, used or ended.
            Unavailable: the store or the signing keys cannot be had.
        """
        if not token:
            raise Unauthenticated.missing()
        form = _REFRESH.match(token)
        if form is None:
            raise Unauthenticated.invalid()
        family, secret = form["family"], _new_secret()
        used = _name(token.removeprefix(f"{family}."))
        if not self._tools.accounts.rotate(family, used, _name(secret), self._clock.now()):
            raise Unauthenticated.invalid()
        account = self._tools.accounts.get(int(form["account"]))
        if account is None or not account.enabled or account.generation != int(form["generation"]):
            raise Unauthenticated.invalid()
        return self._give(account, family, secret)

    def renew(self, caller: Caller) -> TokenPair | None:
        """Give the next token for a browser's cookie, once half the life of the caller's own is over and while its login goes on.

        None otherwise: where it is too early, the login has ended or is older than a session may be, the account is disabled or has
        another password, or the token was made for no cookie. No refresh token is used for it, so that any number of tabs may come
        at once: each gets a token.

        Raises:
            Unavailable: the store or the signing keys cannot be had.
        """
        life, now = caller.cookie, self._clock.now()
        if life is None or caller.session is None:
            return None
        until = min(_seconds(now + self._terms.access), life.login_at + int(self._terms.session.total_seconds()))
        early = (life.over_at - now.timestamp()) * 2 > self._terms.access.total_seconds()
        if early or until <= life.over_at or not self._tools.accounts.has_family(caller.session, now):
            return None
        account = self._tools.accounts.get(caller.account_id or 0)
        if account is None or not account.enabled or account.generation != life.generation:
            return None
        claims = {**self._claim(account, caller.session), "auth_time": life.login_at, "exp": until}
        token = self._tools.codec.sign(claims)
        return TokenPair(token, until - _seconds(now), cookie=token)

    def logout(self, caller: Caller) -> None:
        """End the caller's login; a machine's key and a provider's token belong to none, and nothing happens.

        Raises:
            StoreDown: the store cannot be written.
        """
        if caller.session is not None:
            self._tools.accounts.end_family(caller.session)

    def know(self, token: str) -> Caller:
        """Tell who an access token, or a machine's key, belongs to.

        Raises:
            Unauthenticated: it is none of ours, over, or ended.
            Unavailable: that cannot be told now.
        """
        if not token:
            raise Unauthenticated.missing()
        if token.startswith(PREFIX):
            return self._tools.machines.know(token)
        return self._tools.outsiders.know(token) or self._know_own(token)

    def public_keys(self) -> Mapping[str, Any]:
        """Give the JWK set (RFC 7517) of the public keys in use; empty where tokens are signed by a shared secret.

        Raises:
            Unavailable: the signing keys cannot be had.
        """
        return self._tools.codec.public_keys()

    def _know_own(self, token: str) -> Caller:
        caller, generation = _read_caller(self._tools.codec.read(token))
        ended = self._tools.accounts.revocations()
        if caller.session in ended.ended or ended.generations.get(caller.account_id or 0) != generation:
            raise Unauthenticated.invalid()
        return caller

    def _give(self, account: Account, family: str, secret: str) -> tuple[TokenPair, Caller]:
        claims = self._claim(account, family)
        lasts = int(self._terms.access.total_seconds())
        return TokenPair(self._tools.codec.sign(claims), lasts, f"{family}.{secret}"), _read_caller(claims)[0]

    def _claim(self, account: Account, family: str) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "sub": str(account.id),
            "name": account.username,
            "role": account.role.value,
            "sid": family,
            "gen": account.generation,
            "jti": new_id(),
            "iat": _seconds(now),
            "nbf": _seconds(now),
            "exp": _seconds(now + self._terms.access),
        }


def _read_caller(claims: Mapping[str, Any]) -> tuple[Caller, int]:
    """Give who the claims of a verified token name, and the generation they are of."""
    # A key of ours signed them, but maybe no door: whoever shares the secret of the settings may sign other things with it.
    try:
        name, session, token_id, generation = (claims[each] for each in ("name", "sid", "jti", "gen"))
        role, account_id = Role(claims["role"]), int(claims["sub"])
    except (KeyError, ValueError, TypeError) as error:
        raise Unauthenticated.invalid() from error
    if not all(isinstance(text, str) for text in (name, session, token_id)) or type(generation) is not int:
        raise Unauthenticated.invalid()
    caller = Caller(
        name=name,
        kind=CallerKind.ACCOUNT,
        role=role,
        account_id=account_id,
        session=session,
        token_id=token_id,
        cookie=_read_life(claims, generation),
    )
    return caller, generation


def _read_life(claims: Mapping[str, Any], generation: int) -> CookieLife | None:
    """Give what a token for a cookie says of itself; only such a one tells when its login was (RFC 9068, 2.2.1)."""
    login_at = claims.get("auth_time")
    return CookieLife(login_at, int(claims["exp"]), generation) if type(login_at) is int else None


def _seconds(moment: dt.datetime) -> int:
    return int(moment.timestamp())


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _name(secret: str) -> str:
    """Give what a refresh token is kept as: who reads the store cannot use it."""
    return hashlib.sha256(secret.encode()).hexdigest()
