"""Verifies a token by one key and that key's own algorithm, and holds its claims against the clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from main.service.errors import Unauthenticated

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

LEEWAY = 5.0  # seconds that another machine's clock may be ahead; none is given to what is over
_DECODER = jwt.PyJWT({"enforce_minimum_key_length": True})


@dataclass(frozen=True, slots=True)
class Demands:
    """What a token's claims must say: from whom, for whom, and which claims must be there."""

    issuer: str
    audience: str
    required: Sequence[str]


def verify(token: str, key: Any, algorithm: str, demands: Demands, now: dt.datetime) -> dict[str, Any]:
    """Give the claims of a token that this key signed.

    Raises:
        Unauthenticated: it did not, or the claims do not say what they must; whatever the reason is.
    """
    try:
        claims = _DECODER.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=demands.audience,
            issuer=demands.issuer,
            # The times are checked below, by the clock that everything else goes by.
            options={"require": list(demands.required), "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Unauthenticated.invalid() from error
    if not _is_timely(claims, now.timestamp()) or not claims.get("sub"):
        raise Unauthenticated.invalid()
    return claims


def _is_timely(claims: dict[str, Any], now: float) -> bool:
    over, *begun = (claims[name] for name in ("exp", "iat", "nbf") if name in claims)
    if not all(_is_time(value) for value in (over, *begun)):
        return False
    return over > now and all(value <= now + LEEWAY for value in begun)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
