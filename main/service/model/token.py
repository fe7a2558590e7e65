"""What tokens are made and taken by: their terms, the keys that sign them, and outside providers that are trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from main.service.model.account import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTerms:
    """Who issues tokens, for whom, and for how long; ``session`` is the longest that a browser's cookie is renewed after a login."""

    issuer: str
    audience: str
    access: timedelta = timedelta(minutes=15)
    refresh: timedelta = timedelta(days=30)
    session: timedelta = timedelta(hours=12)


class KeyState(StrEnum):
    """What becomes of tokens that a key signed."""

    SIGNING = "signing"
    VERIFYING = "verifying"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A signing key as it may be listed: never the key itself. ``until`` is when it stops verifying, where that is known."""

    kid: str
    algorithm: str
    state: KeyState
    created_at: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An outside identity provider whose tokens are taken; ``roles`` maps what stands in the role claim to our roles."""

    issuer: str
    audience: str
    jwks_url: str
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    role_claim: str = "roles"
    roles: Mapping[str, Role] = field(default_factory=dict)
