"""Access tokens of our own: JWTs in the profile of RFC 9068."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt

from main.resources.tokens.forms import read_head
from main.resources.tokens.signing import public_jwk
from main.resources.tokens.verify import Demands, verify
from main.service.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.resources.tokens.keyring import Keys
    from main.service.model import TokenTerms
    from main.util.clock import Clock

TYPE = "at+jwt"
ACCESS = "access"
REQUIRED = ("exp", "iat", "nbf", "iss", "aud", "jti", "typ", "sub")
_MEMBERS = {"alg", "kid", "typ"}


class JwtCodec:
    """Signs with the newest key, and reads what any key that verifies has signed, by that key's own algorithm."""

    def __init__(self, keys: Keys, terms: TokenTerms, clock: Clock) -> None:
        self._keys = keys
        self._terms = terms
        self._clock = clock
        self._demands = Demands(terms.issuer, terms.audience, REQUIRED)

    def open(self) -> None:
        """Make sure that there is a key to sign with.

        Raises:
            Unavailable: there cannot be one.
        """
        self._keys.secure()

    def ping(self) -> None:
        """Return when there is a key to sign with.

        Raises:
            Unavailable: there is none.
        """
        self._keys.signer()

    def close(self) -> None:
        """Do nothing: nothing is held."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Give a token of these claims, to which issuer, audience and type are added.

        Raises:
            Unavailable: the signing keys cannot be had.
        """
        key = self._keys.signer()
        whole = {**claims, "iss": self._terms.issuer, "aud": self._terms.audience, "typ": ACCESS}
        return jwt.encode(whole, key.private, key.algorithm, {"typ": TYPE, "kid": key.kid})

    def read(self, token: str) -> Mapping[str, Any]:
        """Give the claims of an access token of ours.

        Raises:
            Unauthenticated: it is none, or not now.
            Unavailable: the signing keys cannot be had.
        """
        head = read_head(token)
        if head.type != TYPE or head.members != _MEMBERS:
            raise Unauthenticated.invalid()
        key = self._keys.find(head.kid)
        if key is None or key.algorithm != head.algorithm:
            raise Unauthenticated.invalid()
        claims = verify(token, key.public, key.algorithm, self._demands, self._clock.now())
        if claims["typ"] != ACCESS:
            raise Unauthenticated.invalid()
        return claims

    def public_keys(self) -> Mapping[str, Any]:
        """Give the JWK set (RFC 7517) of the public keys that verify; empty where secrets are shared.

        Raises:
            Unavailable: the signing keys cannot be had.
        """
        return {"keys": [shown for key in self._keys.verifying() if (shown := public_jwk(key)) is not None]}
