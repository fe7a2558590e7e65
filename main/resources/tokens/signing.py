"""Keys that sign: made, written down and read back, and their public half as a JWK (RFC 7517)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from main.util.clock import isoformat, parse_iso
from main.util.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.util.secret import Secret

HS256, RS256, EDDSA = "HS256", "RS256", "EdDSA"
_SECRET_BYTES = 64
_LEAST_BYTES = 32
_RSA_BITS = 3072


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key by its ``kid``: what signs, and what verifies (the same where the secret is shared)."""

    kid: str
    algorithm: str
    created_at: dt.datetime
    private: Any = field(repr=False)
    public: Any = field(repr=False)


def generate(algorithm: str, now: dt.datetime) -> SigningKey:
    """Make a new key."""
    if algorithm == RS256:
        private: Any = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    elif algorithm == EDDSA:
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        private = secrets.token_bytes(_SECRET_BYTES)
    return _pair(new_id(), algorithm, now, private)


def take_secret(secret: Secret) -> SigningKey:
    """Give the key that a secret from the settings makes; its ``kid`` changes with it."""
    value = secret.reveal().encode()
    kid = hashlib.sha256(b"aisle kid\0" + value).hexdigest()[:32]
    return SigningKey(kid, HS256, dt.datetime.fromtimestamp(0, dt.UTC), value, value)


def dump_key(key: SigningKey) -> str:
    """Write a key down, for the own user's eyes only."""
    if isinstance(key.private, bytes):
        text = base64.b64encode(key.private).decode()
    else:
        pem = key.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        text = pem.decode()
    created = isoformat(key.created_at)
    return json.dumps({"kid": key.kid, "algorithm": key.algorithm, "created_at": created, "key": text})


def load_key(text: str) -> SigningKey:
    """Read a key back.

    Raises:
        ValueError: the text is none.
    """
    try:
        found = json.loads(text)
        kid, algorithm, key = found["kid"], found["algorithm"], found["key"]
        created = parse_iso(found["created_at"])
        private = _read_secret(key) if algorithm == HS256 else serialization.load_pem_private_key(key.encode(), None)
        return _pair(kid, algorithm, created, private)
    except (KeyError, TypeError, AttributeError, RecursionError, UnsupportedAlgorithm) as error:
        raise ValueError("no signing key") from error


def public_jwk(key: SigningKey) -> dict[str, Any] | None:
    """Give the public half; None where there is none to give: a shared secret never leaves the house."""
    if isinstance(key.public, rsa.RSAPublicKey):
        shown: Mapping[Any, Any] = RSAAlgorithm.to_jwk(key.public, as_dict=True)
    elif isinstance(key.public, ed25519.Ed25519PublicKey):
        shown = OKPAlgorithm.to_jwk(key.public, as_dict=True)
    else:
        return None
    parts = {name: shown[name] for name in ("kty", "crv", "x", "n", "e") if name in shown}
    return {**parts, "kid": key.kid, "alg": key.algorithm, "use": "sig"}


def _read_secret(text: str) -> bytes:
    secret = base64.b64decode(text, validate=True)
    if len(secret) < _LEAST_BYTES:  # a file that was cut off must not sign with what is left
        raise ValueError("a secret that is too short")
    return secret


def _pair(kid: str, algorithm: str, created: dt.datetime, private: Any) -> SigningKey:
    kinds: dict[str, Any] = {HS256: bytes, RS256: rsa.RSAPrivateKey, EDDSA: ed25519.Ed25519PrivateKey}
    if not isinstance(private, kinds.get(algorithm, ())):
        raise TypeError("the key is of another kind than its algorithm")
    return SigningKey(kid, algorithm, created, private, private if algorithm == HS256 else private.public_key())
