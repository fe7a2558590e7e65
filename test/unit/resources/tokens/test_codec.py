"""What a codec reads and refuses, and a rotation under load."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from main.resources.tokens.codec import JwtCodec
from main.resources.tokens.keyring import FOLLOW, LOOK, GivenKey
from main.service.errors import Unauthenticated, Unavailable
from main.service.model import TokenTerms
from main.util.secret import Secret
from test.fakes import FakeClock
from test.unit.resources.tokens.forgeries import FORGERIES, good, head, pointed
from test.unit.resources.tokens.forging import LIFE, TERMS, by_key, claims, join, make_codec

GIVEN = {name: value for name, value in claims().items() if name not in {"iss", "aud", "typ"}}


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
    far = int(clock.timestamp()) + 10 * 900
    token = join(head(old), claims(exp=far), by_key(old.private))
    assert other.read(token)
    clock.advance((FOLLOW + LIFE).total_seconds() + 1)
    for worker in (one, other):
        with pytest.raises(Unauthenticated):
            worker.read(token)
