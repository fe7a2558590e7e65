import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from main.resources.tokens.keysets import read_key_set
from test.unit.resources.tokens.forging import jwk_of

ALL = ("RS256", "ES256", "EdDSA")
ED = ed25519.Ed25519PrivateKey.generate().public_key()
EC = ec.generate_private_key(ec.SECP256R1()).public_key()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
GOOD = jwk_of(ED, "ed")


def read(*keys, algorithms=ALL):
    return {kid: key.algorithm_name for kid, key in read_key_set(json.dumps({"keys": keys}).encode(), algorithms).items()}


def test_each_key_verifies_by_the_one_algorithm_of_its_kind():
    assert read(jwk_of(ED, "ed"), jwk_of(EC, "ec"), jwk_of(RSA, "rsa")) == {"ed": "EdDSA", "ec": "ES256", "rsa": "RS256"}


def test_a_key_that_says_its_own_algorithm_is_taken():
    assert read(jwk_of(RSA, "rsa", alg="RS256")) == {"rsa": "RS256"}


def test_a_key_that_does_not_say_what_it_is_for_is_taken():
    assert read({name: part for name, part in GOOD.items() if name not in {"use", "alg"}}) == {"ed": "EdDSA"}


@pytest.mark.parametrize("kid", ["k", "k" * 200])
def test_a_name_of_1_to_200_characters_is_taken(kid):
    assert read({**GOOD, "kid": kid}) == {kid: "EdDSA"}


def test_only_configured_algorithms_are_taken():
    assert read(jwk_of(ED, "ed"), jwk_of(RSA, "rsa"), algorithms=("RS256",)) == {"rsa": "RS256"}


@pytest.mark.parametrize(
    "other",
    [
        1,
        {},
        {"kty": "oct", "k": "AAAA", "kid": "x"},
        {"kty": ["RSA"], "kid": "x"},
        {**GOOD, "kid": ""},
        {**GOOD, "kid": 1},
        {**GOOD, "kid": "x" * 201},
        {**GOOD, "kid": "x", "use": "enc"},
        {**GOOD, "kid": "x", "crv": "X25519"},
        {**GOOD, "kid": "x", "crv": ["Ed25519"]},
        {**GOOD, "kid": "x", "alg": "RS256"},
        {**GOOD, "kid": "x", "x": "AA"},
        {**GOOD, "kid": "x", "x": 1},
        {**jwk_of(RSA, "x"), "alg": "HS256"},
        {**jwk_of(RSA, "x"), "n": "é"},
        {**jwk_of(EC, "x"), "y": "AA"},
        {**jwk_of(EC, "x"), "y": None},
    ],
)
def test_keys_that_cannot_be_used_are_left_out(other):
    assert read(other, GOOD) == {"ed": "EdDSA"}
    with pytest.raises(ValueError, match="can be used"):
        read(other)


def test_private_parts_are_not_taken():
    found = read_key_set(json.dumps({"keys": [{**GOOD, "d": GOOD["x"]}]}).encode(), ALL)
    assert not hasattr(found["ed"].key, "sign")


def test_of_two_keys_of_one_name_the_first_is_taken():
    assert read(GOOD, jwk_of(RSA, "ed")) == {"ed": "EdDSA"}


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"[]", b"1", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": null}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_set_is_told(text):
    with pytest.raises(ValueError, match=r"."):
        read_key_set(text, ALL)


def test_a_set_of_very_many_keys_is_told():
    assert read(*[GOOD] * 100) == {"ed": "EdDSA"}
    with pytest.raises(ValueError, match=r"^no JWK set of at most 100 keys$"):
        read(*[GOOD] * 101)
