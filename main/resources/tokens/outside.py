"""Tokens of outside identity providers that the settings trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.resources.tokens.forms import read_head, read_issuer
from main.resources.tokens.lastgood import ProviderKeys
from main.resources.tokens.verify import Demands, verify
from main.service.errors import Unauthenticated
from main.service.model import Caller, CallerKind, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from main.resources.tokens.lastgood import Fetch
    from main.service.model import Provider
    from main.util.clock import Clock

REQUIRED = ("exp", "iat", "iss", "aud", "sub")
_TYPES = {None, "jwt", "at+jwt", "application/at+jwt"}
_MOST_NAME = 255


class OutsideTokens:
    """Knows callers by the tokens of the providers, each checked by that provider's own keys."""

    def __init__(self, providers: Iterable[Provider], folder: Path, fetch: Fetch, clock: Clock) -> None:
        self._clock = clock
        self._providers = {one.issuer: (one, ProviderKeys(one, folder, fetch, clock)) for one in providers}

    def open(self) -> None:
        """Take the last-good copies of their keys; a provider that is down keeps nothing from starting."""
        for _, keys in self._providers.values():
            keys.start()

    def ping(self) -> None:
        """Do nothing: a provider that is down locks nobody out who has a key of its last-good copy."""

    def close(self) -> None:
        """Do nothing: a fetch under way ends by its deadline."""

    def know(self, token: str) -> Caller | None:
        """Tell who a provider's token belongs to; None where no provider that is trusted says that it issued it.

        Raises:
            Unauthenticated: it says so, and is forged, over or not for us.
            Unavailable: the provider's keys were never to be had so far.
        """
        if not self._providers:
            return None
        head = read_head(token)
        issuer = read_issuer(token)
        if issuer is None or issuer not in self._providers:
            return None
        provider, keys = self._providers[issuer]
        if head.algorithm not in provider.algorithms or (head.type and head.type.lower()) not in _TYPES:
            raise Unauthenticated.invalid()
        key = keys.find(head.kid)
        if key is None or key.algorithm_name != head.algorithm:
            raise Unauthenticated.invalid()
        demands = Demands(provider.issuer, provider.audience, REQUIRED)
        return _make_caller(provider, verify(token, key.key, key.algorithm_name, demands, self._clock.now()))


def _make_caller(provider: Provider, claims: Mapping[str, Any]) -> Caller:
    subject, token_id = claims["sub"], claims.get("jti")
    if len(subject) > _MOST_NAME or not subject.isprintable():
        raise Unauthenticated.invalid()
    return Caller(
        name=f"{provider.issuer}#{subject}",  # two providers may call two people the same
        kind=CallerKind.OUTSIDE,
        role=find_role(claims, provider),
        token_id=token_id if isinstance(token_id, str) else None,
    )


def find_role(claims: Mapping[str, Any], provider: Provider) -> Role | None:
    """Give the highest role that the claim's values map to; dots in the claim's name lead into objects, such as ``realm_access.roles``."""
    value: Any = claims.get(provider.role_claim)
    if value is None:
        value = claims
        for step in provider.role_claim.split("."):
            value = value.get(step) if isinstance(value, dict) else None
    said = [value, *value.split()] if isinstance(value, str) else value if isinstance(value, list) else []
    found = [provider.roles[text] for text in said if isinstance(text, str) and text in provider.roles]
    return max(found, key=list(Role).index, default=None)
