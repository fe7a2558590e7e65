import json

import pytest

from main.resources.tokens.forms import MOST_BYTES, read_head, read_issuer
from main.service.errors import Unauthenticated
from test.unit.resources.tokens.forging import b64, part

HEAD = {"alg": "HS256", "kid": "k", "typ": "JWT"}


def token(header, body=b"{}"):
    return f"{part(header)}.{part(body)}.c2ln"


def test_a_header_says_algorithm_key_and_type():
    head = read_head(token(HEAD))
    assert (head.algorithm, head.kid, head.type, set(head.members)) == ("HS256", "k", "JWT", {"alg", "kid", "typ"})


@pytest.mark.parametrize("length", [*range(1, 20), 199, 200])
def test_a_header_is_read_however_long_its_names_are(length):
    head = read_head(token({"alg": "HS256", "kid": "k" * length}))
    assert (head.kid, head.type) == ("k" * length, None)


def test_a_header_may_leave_its_type_out():
    assert read_head(token({"alg": "HS256", "kid": "k"})).type is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "a.b.",
        ".b.c",
        "a..c",
        f"{token(HEAD)}\n",
        f" {token(HEAD)}",
        f"{token(HEAD)}=",
        token(HEAD).replace("c2ln", "c2lñ"),
        token(HEAD) + "A" * MOST_BYTES,
        token({**HEAD, "pad": "x" * 1024}),
        token([]),
        token(b"\xff\xfe"),
        token(b"[" * 700),
        token(b"{"),
        f"A.{part({})}.c2ln",
        *(token({**HEAD, name: value}) for name in ("alg", "kid", "typ") for value in ("", 1, [], "x" * 201)),
        token({"alg": "HS256"}),
        token({"kid": "k"}),
        *(token({**HEAD, name: "x"}) for name in ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "epk", "cty")),
    ],
)
def test_what_is_no_token_is_refused_before_anything_is_computed(text):
    with pytest.raises(Unauthenticated) as caught:
        read_head(text)
    assert caught.value.code == "invalid_token"


def test_a_token_of_8_kib_is_read_and_none_that_is_larger():
    start = f"{part(HEAD)}.e30."
    largest = start + "A" * (8192 - len(start))
    assert (read_head(largest).kid, MOST_BYTES) == ("k", 8192)
    with pytest.raises(Unauthenticated):
        read_head(largest + "A")


def test_a_header_of_1_kib_is_read_and_none_that_is_larger():
    empty = len(json.dumps({**HEAD, "pad": ""}))
    headers = [b64(json.dumps({**HEAD, "pad": "x" * (size - empty)}).encode()) for size in (768, 769)]
    assert [len(header) for header in headers] == [1024, 1026]
    assert read_head(f"{headers[0]}.e30.c2ln").kid == "k"
    with pytest.raises(Unauthenticated):
        read_head(f"{headers[1]}.e30.c2ln")


@pytest.mark.parametrize(("body", "issuer"), [({"iss": "me"}, "me"), ({}, None), ({"iss": ["me"]}, None)])
def test_a_token_says_who_it_is_from(body, issuer):
    assert read_issuer(token(HEAD, body)) == issuer


@pytest.mark.parametrize("body", [b"x", b"[1]", b"[" * 5000, json.dumps("iss").encode()])
def test_claims_that_cannot_be_read_are_refused(body):
    with pytest.raises(Unauthenticated):
        read_issuer(f"{b64(b'{}')}.{b64(body)}.c2ln")
