"""Tokens that were forged in every published way, each made of a key that signs right ones."""

import json

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from main.resources.tokens.codec import REQUIRED, TYPE
from test.unit.resources.tokens.forging import b64, by_key, by_secret, claims, join, jwk_of, part, pem_of

STRANGER = ed25519.Ed25519PrivateKey.generate()
NOWHERE = "http://127.0.0.1:9/keys"


def head(key, **changes):
    whole = {"alg": key.algorithm, "typ": TYPE, "kid": key.kid, **changes}
    return {name: value for name, value in whole.items() if value is not ...}


def good(key, **changes):
    return join(head(key), claims(**changes), by_key(key.private))


def parts(key):
    return good(key).split(".")


def tampered(key):
    header, _, signature = parts(key)
    return f"{header}.{part(claims(sub='2'))}.{signature}"


def public_bytes(key):
    return key.private if isinstance(key.public, bytes) else pem_of(key.public)


def confused(key, secret):
    """Signed by the public key as if it were a shared secret; where there is none, by the empty one."""
    return join(head(key, alg="HS256"), claims(), by_secret(b"" if isinstance(key.public, bytes) else secret(key)))


def odd_bits(key):
    """The same signature spelled otherwise: bits that base64 leaves over are set."""
    text, alphabet = good(key), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1] if alphabet.index(text[-1]) % 2 == 0 else text[:-1]


def pointed(key, **where):
    """Signed by a stranger whose key the header points to or brings."""
    return join(head(key, alg="EdDSA", **where), claims(), STRANGER.sign)


FORGERIES = {
    "no algorithm (CVE-2015-9235)": lambda key: join(head(key, alg="none"), claims(), lambda _: b""),
    "no algorithm, spelled otherwise": lambda key: join(head(key, alg="nOnE"), claims(), lambda _: b""),
    "no algorithm, and a signature": lambda key: join(head(key, alg="None"), claims(), by_key(key.private)),
    "an algorithm that is empty": lambda key: join(head(key, alg=""), claims(), by_key(key.private)),
    "an algorithm that is missing": lambda key: join(head(key, alg=...), claims(), by_key(key.private)),
    "an algorithm that is no text": lambda key: join(head(key, alg=[key.algorithm]), claims(), by_key(key.private)),
    "a public key as shared secret (CVE-2016-10555)": lambda key: confused(key, public_bytes),
    "a public key as shared secret, without line ends": lambda key: confused(key, lambda one: public_bytes(one).strip()),
    "a public JWK as shared secret": lambda key: confused(key, lambda one: json.dumps(jwk_of(one.public, one.kid)).encode()),
    "an empty secret": lambda key: join(head(key, alg="HS256"), claims(), by_secret(b"")),
    "a secret out of a word list": lambda key: join(head(key, alg="HS256"), claims(), by_secret(b"secret")),
    "another length of the same hash": lambda key: join(head(key, alg="HS512"), claims(), by_secret(b"x", "HS512")),
    "another padding": lambda key: join(head(key, alg="PS256"), claims(), by_key(key.private)),
    "another kind of key": lambda key: join(head(key, alg="ES256"), claims(), by_key(ec.generate_private_key(ec.SECP256R1()))),
    "a signature of zeros (CVE-2022-21449)": lambda key: join(head(key, alg="ES256"), claims(), lambda _: bytes(64)),
    "a signature of zeros by our own algorithm": lambda key: join(head(key), claims(), lambda _: bytes(64)),
    "no signature": lambda key: ".".join(parts(key)[:2]) + ".",
    "no third part": lambda key: ".".join(parts(key)[:2]),
    "the signature of another token": lambda key: ".".join([*good(key, sub="2").split(".")[:2], parts(key)[2]]),
    "half a signature": lambda key: good(key)[: -len(parts(key)[2]) // 2],
    "other claims below the signature": tampered,
    "another spelling of the signature": odd_bits,
    "padding": lambda key: good(key) + "=",
    "a line end": lambda key: good(key) + "\n",
    "a stranger's signature": lambda key: join(head(key, alg="EdDSA"), claims(), STRANGER.sign),
    "a key set of the sender's (jku)": lambda key: pointed(key, jku=NOWHERE),
    "a certificate of the sender's (x5u)": lambda key: pointed(key, x5u=NOWHERE),
    "a certificate inside (x5c)": lambda key: pointed(key, x5c=["MIIB"]),
    "a key inside (jwk, CVE-2018-0114)": lambda key: pointed(key, jwk=jwk_of(STRANGER.public_key(), key.kid)),
    "a critical extension (crit)": lambda key: join(head(key, crit=["x"], x=1), claims(), by_key(key.private)),
    "claims that are not encoded (b64)": lambda key: join(head(key, crit=["b64"], b64=False), claims(), by_key(key.private)),
    "compressed claims (zip)": lambda key: join(head(key, zip="DEF"), claims(), by_key(key.private)),
    "a token inside (cty)": lambda key: join(head(key, cty="JWT"), claims(), by_key(key.private)),
    "any other member": lambda key: join(head(key, x=1), claims(), by_key(key.private)),
    "no key named": lambda key: join(head(key, kid=...), claims(), by_key(key.private)),
    "an unknown key": lambda key: join(head(key, kid="0" * 32), claims(), by_key(key.private)),
    "a key that is a path": lambda key: join(head(key, alg="HS256", kid="../../../dev/null"), claims(), by_secret(b"")),
    "a key that is a query": lambda key: join(head(key, alg="HS256", kid="x' UNION SELECT 'k'--"), claims(), by_secret(b"k")),
    "a key that is a list": lambda key: join(head(key, kid=[key.kid]), claims(), by_key(key.private)),
    "the type of any token": lambda key: join(head(key, typ="JWT"), claims(), by_key(key.private)),
    "no type": lambda key: join(head(key, typ=...), claims(), by_key(key.private)),
    "the type of a refresh token": lambda key: good(key, typ="refresh"),
    "what is over": lambda key: good(key, exp=claims()["iat"] - 1),
    "what is not yet": lambda key: good(key, nbf=claims()["iat"] + 60),
    "what will be issued": lambda key: good(key, iat=claims()["iat"] + 60),
    "another issuer": lambda key: good(key, iss="https://evil.example"),
    "another audience": lambda key: good(key, aud="other"),
    "a time as text": lambda key: good(key, exp="9999999999"),
    "no end in sight": lambda key: good(key, exp=float("inf")),
    "claims that are a list": lambda key: join(head(key), [claims()], by_key(key.private)),
    "a header that is a list": lambda key: join([head(key)], claims(), by_key(key.private)),
    "nested a thousand times": lambda key: f"{b64(b'[' * 700)}.{parts(key)[1]}.{parts(key)[2]}",
    "more than 8 KiB": lambda key: good(key, pad="x" * 8192),
    "encrypted, of five parts": lambda key: good(key) + ".AA.AA",
    "written as JSON (CVE-2022-39227)": lambda key: json.dumps(
        dict(zip(("protected", "payload", "signature"), parts(key), strict=True))
    ),
    **{f"no {name}": lambda key, name=name: good(key, **{name: ...}) for name in REQUIRED},
    "nothing": lambda _: "",
}
