"""JWK sets of other people (RFC 7517): which of their keys can be used, and by which one algorithm each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MOST_KEYS = 100
_MOST_KID = 200
# A key verifies by the one algorithm its kind is made for; a shared secret (oct) is never taken from a public place.
_KINDS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}


def read_key_set(text: bytes, algorithms: Collection[str]) -> Mapping[str, jwt.PyJWK]:
    """Give the keys of a set that verify signatures, by name; those of other kinds and uses are left out.

    Raises:
        ValueError: it is no set, or has no key that can be used.
    """
    try:
        listed = json.loads(text)["keys"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise ValueError("no JWK set") from error
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ValueError(f"no JWK set of at most {_MOST_KEYS} keys")
    found: dict[str, jwt.PyJWK] = {}
    for item in listed:
        key = _read_key(item, algorithms) if isinstance(item, dict) else None
        if key is not None:
            found.setdefault(item["kid"], key)
    if not found:
        raise ValueError("no key in it can be used")
    return found


def _read_key(item: dict[str, Any], algorithms: Collection[str]) -> jwt.PyJWK | None:
    kid, curve = item.get("kid"), item.get("crv")
    if not isinstance(kid, str) or not 0 < len(kid) <= _MOST_KID or item.get("use", "sig") != "sig":
        return None
    if not isinstance(item.get("kty"), str) or not isinstance(curve, str | None):
        return None
    algorithm = _KINDS.get((item["kty"], curve))
    if algorithm not in algorithms or item.get("alg", algorithm) != algorithm:
        return None
    public: dict[str, Any] = {name: item[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in item}
    try:
        return jwt.PyJWK(public, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
