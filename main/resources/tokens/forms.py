"""The outside of a token, looked at before anything is computed: its size, its three parts, its header.

Nothing here is verified yet, so nothing here may be believed: a header only says which key to try.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from main.service.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

MOST_BYTES = 8 * 1024
_MOST_HEADER = 1024
_MOST_TEXT = 200
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
# Members that bring or point to keys of the sender's own, or change how the rest is to be read (RFC 8725, 3.10; RFC 7515, 4.1).
BANNED = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "epk", "cty"})


@dataclass(frozen=True, slots=True)
class Head:
    """What a token's header says: algorithm, key and type."""

    algorithm: str
    kid: str
    type: str | None
    members: AbstractSet[str]


def read_head(token: str) -> Head:
    """Give the header of a token of three parts.

    Raises:
        Unauthenticated: it is too large, of another form, or its header brings what no token of ours or a provider's has.
    """
    if len(token) > MOST_BYTES or not _SHAPE.match(token):
        raise Unauthenticated.invalid()
    part = token.partition(".")[0]
    if len(part) > _MOST_HEADER:
        raise Unauthenticated.invalid()
    header = _parse(part)
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if not _is_text(algorithm) or not _is_text(kid) or not (kind is None or _is_text(kind)) or BANNED & header.keys():
        raise Unauthenticated.invalid()
    return Head(algorithm, kid, kind, header.keys())


def read_issuer(token: str) -> str | None:
    """Give who a token of three parts says that it is from; only to choose who checks it.

    Raises:
        Unauthenticated: its claims cannot be read.
    """
    found = _parse(token.split(".")[1]).get("iss")
    return found if isinstance(found, str) else None


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= _MOST_TEXT


def _parse(part: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError) as error:
        raise Unauthenticated.invalid() from error
    if not isinstance(found, dict):
        raise Unauthenticated.invalid()
    return found
