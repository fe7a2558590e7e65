"""Tokens that were forged in every published way, and a rotation under load."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from main.resources.tokens.codec import REQUIRED, TYPE, JwtCodec
from main.resources.tokens.keyring import FOLLOW, LOOK, GivenKey
from main.service.errors import Unauthenticated, Unavailable
from main.service.model import TokenTerms
from main.util.secret import Secret
from test.fakes import FakeClock
from test.unit.resources.tokens.forging import (
    LIFE,
    TERMS,
    b64,
    by_key,
    by_secret,
    claims,
    join,
    jwk_of,
    make_codec,
    part,
    pem_of,
)

GIVEN = {name: value for name, value in claims().items() if name not in {"iss", "aud", "typ"}}
STRANGER = ed25519.Ed25519PrivateKey.generate()
NOWHERE = "http://127.0.0.1:9/keys"


@contextmanager
def listening():
    """A socket that counts who connects."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def count():
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return
                calls.append(1)

        thread = threading.Thread(target=count)
        thread.start()
        port = server.getsockname()[1]
        yield f"http://127.0.0.1:{port}/keys", calls
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def wait_for(found):
    until = time.monotonic() + 10
    while not found() and time.monotonic() < until:
        time.sleep(0.005)
    assert found()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(scope="module", params=["HS256", "EdDSA", "RS256"])
def codec(request, tmp_path_factory):
    return make_codec(tmp_path_factory.mktemp("keys"), FakeClock(), request.param)


@pytest.fixture
def key(codec):
    return codec._keys.signer()


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


def test_there_are_more_than_twenty_forgeries():
    assert len(FORGERIES) > 60


def test_a_right_token_made_by_hand_is_read(codec, key):
    assert codec.read(good(key)) == claims()


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(codec, key, name):
    with pytest.raises(Unauthenticated) as caught:
        codec.read(FORGERIES[name](key))
    assert (str(caught.value), caught.value.code) == ("Authorization token is invalid", "invalid_token")


def test_nothing_is_fetched_from_where_a_token_points(codec, key):
    with listening() as (url, calls):
        for where in ({"jku": url}, {"x5u": url}, {"jku": url, "x5u": url}, {"jwk": {"kty": "oct", "k": "AA", "jku": url}}):
            with pytest.raises(Unauthenticated):
                codec.read(pointed(key, **where))
            with pytest.raises(Unauthenticated):
                codec.read(join(head(key, **where), claims(iss=url), by_key(key.private)))
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0]))):
            wait_for(lambda: calls)
        assert calls == [1]  # that one alone


def test_what_is_signed_is_read_by_every_worker(codec, key):
    token = codec.sign(GIVEN)
    assert codec.read(token) == claims()
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "==")) == head(key)


def test_public_keys_show_public_parts_only(codec, key):
    shown = codec.public_keys()["keys"]
    assert len(shown) == (0 if key.algorithm == "HS256" else 1)
    private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert all(not private & one.keys() and one["kid"] == key.kid for one in shown)


@pytest.mark.parametrize("claim", ["iss", "aud"])
def test_another_installations_token_is_refused(tmp_path, clock, claim):
    other = {"iss": TokenTerms(issuer="other", audience="api"), "aud": TokenTerms(issuer="aisle", audience="other")}[claim]
    token = make_codec(tmp_path, clock, terms=other).sign(GIVEN)
    with pytest.raises(Unauthenticated):
        make_codec(tmp_path, clock).read(token)


def test_a_given_secret_signs_for_every_worker(clock):
    one, two, other = (JwtCodec(GivenKey(Secret(text * 16)), TERMS, clock) for text in ("ab", "ab", "cd"))
    one.open()
    one.ping()
    token = one.sign(GIVEN)
    assert two.read(token) == claims()
    with pytest.raises(Unauthenticated):
        other.read(token)
    assert one.public_keys() == {"keys": []}
    one.close()


def test_a_folder_that_cannot_be_used_is_told_and_lets_nobody_in(tmp_path, clock):
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(Unavailable):
        make_codec(tmp_path, clock)


def test_keys_whose_folder_goes_are_missed(tmp_path, clock):
    codec = make_codec(tmp_path, clock)
    (tmp_path / "keys").rename(tmp_path / "gone")
    (tmp_path / "keys").write_text("a file")
    clock.advance(LOOK)
    with pytest.raises(Unavailable):
        codec.ping()


@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
def test_a_rotation_under_load_refuses_no_valid_token(tmp_path, clock, algorithm):
    """Four workers sign and read each other's tokens while keys are rotated, at once and before they have followed."""
    workers = [make_codec(tmp_path, clock, algorithm) for _ in range(4)]
    refused, read, stop = [], [], threading.Event()

    def serve(number):
        while not stop.is_set():
            token = workers[number].sign(GIVEN)
            for reader in workers:
                try:
                    reader.read(token)
                    read.append(1)
                except Unauthenticated as error:
                    refused.append(error)

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        before = len(read)
        workers[0]._keys.rotate()
        while len(read) < before + 100 and not refused:
            stop.wait(0.001)
        clock.advance(1)
    stop.set()
    for thread in threads:
        thread.join()
    assert refused == []
    assert len(read) >= 500


def test_a_retired_key_is_refused_by_a_worker_that_nobody_told(tmp_path, clock):
    one, other = make_codec(tmp_path, clock), make_codec(tmp_path, clock)
    old = one._keys.signer()
    one._keys.rotate()
    far = int(clock.now().timestamp()) + 10 * 900
    token = join(head(old), claims(exp=far), by_key(old.private))
    assert other.read(token)
    clock.advance((FOLLOW + LIFE).total_seconds() + 1)
    for worker in (one, other):
        with pytest.raises(Unauthenticated):
            worker.read(token)
