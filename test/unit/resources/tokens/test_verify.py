import datetime as dt
import json

import pytest

from main.resources.tokens.verify import Demands, verify
from main.service.errors import Unauthenticated
from test.fakes import NOW
from test.unit.resources.tokens.forging import by_secret, claims, join

SECRET = b"0123456789abcdef" * 4
DEMANDS = Demands("aisle", "api", ("exp", "iat", "iss", "aud", "sub"))


def check(body, after=0.0):
    return verify(join({"alg": "HS256"}, body, by_secret(SECRET)), SECRET, "HS256", DEMANDS, NOW + dt.timedelta(seconds=after))


def test_right_claims_are_given():
    assert check(claims()) == claims()


def test_a_claim_that_is_not_required_may_be_missing():
    assert "nbf" not in check(claims(nbf=...))


def test_one_audience_of_several_is_enough():
    assert check(claims(aud=["other", "api"]))["aud"] == ["other", "api"]


def test_what_is_over_is_over_without_mercy():
    assert check(claims(), after=899.9)
    with pytest.raises(Unauthenticated):
        check(claims(), after=900)


@pytest.mark.parametrize("years", [-40, 40])
def test_times_are_held_against_the_clock_that_is_given_and_no_other(years):
    away = years * 365 * 86400
    moved = {name: claims()[name] + away for name in ("iat", "nbf", "exp")}
    assert check(claims(**moved), after=away) == claims(**moved)


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_another_machines_clock_may_be_five_seconds_ahead(name):
    ahead = int(NOW.timestamp() + 5)
    assert check(claims(**{name: ahead}))
    with pytest.raises(Unauthenticated):
        check(claims(**{name: ahead + 1}))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1e9", "9999999999", True, [], {}, float("inf"), float("nan"), None])
def test_a_time_is_a_number(name, value):
    with pytest.raises(Unauthenticated):
        check(claims(**{name: value}))


def test_a_time_of_thousands_of_digits_is_refused():
    body = json.dumps(claims()).replace(str(claims()["exp"]), "9" * 5000)
    with pytest.raises(Unauthenticated):
        check(body.encode())


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"},
        {"iss": ["aisle"]},
        {"aud": "other"},
        {"aud": []},
        {"aud": ["other"]},
        {"aud": {"api": 1}},
        {"aud": [1]},
        {"sub": ""},
        {"sub": 1},
        {"jti": 1},
    ],
)
def test_claims_that_say_something_else_are_refused(change):
    with pytest.raises(Unauthenticated):
        check(claims(**change))


@pytest.mark.parametrize("name", DEMANDS.required)
def test_every_required_claim_must_be_there(name):
    with pytest.raises(Unauthenticated):
        check(claims(**{name: ...}))


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 5000])
def test_claims_that_are_no_object_are_refused(body):
    with pytest.raises(Unauthenticated):
        check(body)


def test_a_key_that_is_too_short_verifies_nothing():
    with pytest.raises(Unauthenticated):
        verify(join({"alg": "HS256"}, claims(), by_secret(b"short")), b"short", "HS256", DEMANDS, NOW)
