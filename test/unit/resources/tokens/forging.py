"""Makes tokens by hand, right and forged ones, without the library that reads them."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from main.resources.tokens.codec import JwtCodec
from main.resources.tokens.folder import KeyFolder
from main.resources.tokens.keyring import KeyRing
from main.service.model import TokenTerms
from test.fakes import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from main.util.clock import Clock

LIFE = dt.timedelta(minutes=15)
TERMS = TokenTerms(issuer="aisle", audience="api", access=LIFE)
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def claims(**changes: Any) -> dict[str, Any]:
    """What a door puts into a token, changed; ``...`` leaves a claim out."""
    now = int(NOW.timestamp())
    whole = {"sub": "1", "jti": "t1", "iat": now, "nbf": now, "exp": now + 900, "iss": "aisle", "aud": "api", "typ": "access"}
    whole |= {"name": "ada", "role": "admin", "sid": f"1-1-{'0' * 32}", "gen": 1}
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: Any) -> str:
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def join(header: Any, body: Any, sign: Callable[[bytes], bytes]) -> str:
    """Give a token of these parts."""
    signed = f"{part(header)}.{part(body)}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def by_secret(secret: bytes, algorithm: str = "HS256") -> Callable[[bytes], bytes]:
    return lambda data: hmac.new(secret, data, HASHES[algorithm]).digest()


def by_key(private: Any) -> Callable[[bytes], bytes]:
    """Sign by a private key, in the way of its kind."""
    if isinstance(private, bytes):
        return by_secret(private)
    if isinstance(private, ec.EllipticCurvePrivateKey):

        def sign(data: bytes) -> bytes:
            r, s = utils.decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")

        return sign
    if hasattr(private, "key_size"):
        return lambda data: private.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return private.sign


def pem_of(public: Any) -> bytes:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def make_ring(folder: Path, clock: Clock, algorithm: str = "HS256") -> KeyRing:
    return KeyRing(KeyFolder(folder / "keys"), algorithm, LIFE, clock)


def make_codec(folder: Path, clock: Clock, algorithm: str = "HS256", terms: TokenTerms = TERMS) -> JwtCodec:
    """Give what one worker signs and reads with; another one on the same folder is another worker."""
    codec = JwtCodec(make_ring(folder, clock, algorithm), terms, clock)
    codec.open()
    return codec


def jwk_of(public: Any, kid: str, **more: Any) -> dict[str, Any]:
    """Give a public key as a provider lists it."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        numbers = public.public_numbers()
        parts: Mapping[str, Any] = {
            "kty": "EC",
            "crv": "P-256",
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }
    elif hasattr(public, "key_size"):
        n = public.public_numbers().n
        parts = {"kty": "RSA", "n": b64(n.to_bytes((n.bit_length() + 7) // 8, "big")), "e": "AQAB"}
    else:
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        parts = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    return {**parts, "kid": kid, "use": "sig", **more}
