import base64
import datetime as dt
import json

import pytest

from main.resources.tokens.signing import dump_key, generate, load_key, public_jwk, take_secret
from main.util.secret import Secret
from test.fakes import NOW

ALGORITHMS = ["HS256", "RS256", "EdDSA"]


@pytest.fixture(scope="module")
def keys():
    return {algorithm: generate(algorithm, NOW) for algorithm in ALGORITHMS}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_written_down_and_read_back(keys, algorithm):
    key = keys[algorithm]
    back = load_key(dump_key(key))
    assert (back.kid, back.algorithm, back.created_at) == (key.kid, algorithm, NOW)
    assert dump_key(back) == dump_key(key)


def test_no_two_keys_are_alike():
    made = [generate("HS256", NOW) for _ in range(20)]
    assert len({key.kid for key in made}) == len({key.private for key in made}) == 20


def test_a_generated_secret_has_the_64_bytes_of_the_hashs_own_block(keys):
    assert len(keys["HS256"].private) == 64


def test_an_rsa_key_has_3072_bits(keys):
    assert keys["RS256"].private.key_size == 3072


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_does_not_show_itself(keys, algorithm):
    key = keys[algorithm]
    assert repr(key) == f"SigningKey(kid={key.kid!r}, algorithm={algorithm!r}, created_at={NOW!r})"


@pytest.mark.parametrize(("algorithm", "members"), [("RS256", {"n", "e"}), ("EdDSA", {"crv", "x"})])
def test_a_public_key_shows_its_public_parts_only(keys, algorithm, members):
    shown = public_jwk(keys[algorithm])
    assert set(shown) == {"kty", "kid", "alg", "use", *members}
    assert (shown["kid"], shown["alg"], shown["use"]) == (keys[algorithm].kid, algorithm, "sig")


def test_a_shared_secret_is_never_shown(keys):
    assert public_jwk(keys["HS256"]) is None
    assert public_jwk(take_secret(Secret("0123456789abcdef" * 2))) is None


def test_a_given_secret_has_a_name_that_changes_with_it():
    one, same, other = (take_secret(Secret(text * 16)) for text in ("ab", "ab", "cd"))
    assert one.kid == same.kid != other.kid
    assert one.private == b"ab" * 16
    assert one.created_at < dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "none"},
        {"algorithm": "RS256"},
        {"algorithm": "EdDSA"},
        {"algorithm": ["HS256"]},
        {"key": 1},
        {"key": "-"},
        {"key": ""},
        {"key": "QUJD"},
        {"key": None},
        {"created_at": None},
        {"created_at": "soon"},
    ],
)
def test_what_is_no_key_is_told(keys, change):
    with pytest.raises(ValueError, match=r"."):
        load_key(json.dumps({**json.loads(dump_key(keys["HS256"])), **change}))


def test_a_secret_is_read_whole_and_of_32_bytes_or_more_or_not_at_all(keys):
    written = json.loads(dump_key(keys["HS256"]))
    for secret, fits in ((b"s" * 32, True), (b"s" * 31, False)):
        text = json.dumps({**written, "key": base64.b64encode(secret).decode()})
        if fits:
            assert load_key(text).private == secret
        else:
            with pytest.raises(ValueError, match="too short"):
                load_key(text)
    with pytest.raises(ValueError, match=r"."):
        load_key(json.dumps({**written, "key": f"-{written['key']}"}))


def test_a_key_of_another_kind_than_its_algorithm_is_refused(keys):
    pem = json.loads(dump_key(keys["EdDSA"]))
    with pytest.raises(ValueError, match="no signing key"):
        load_key(json.dumps({**pem, "algorithm": "RS256"}))


@pytest.mark.parametrize("text", ["", "{}", "[]", "1", "{" * 9, "[" * 100_000])
def test_a_file_of_something_else_is_told(text):
    with pytest.raises(ValueError, match=r"."):
        load_key(text)
