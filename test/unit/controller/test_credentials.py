from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask import Flask, Response

from main.controller.credentials import Known, clear_cookie, identify, set_cookie
from main.service.errors import Unauthenticated
from main.service.model import TokenPair
from test.fakes import FakeDoor

HTTPS = "https://aisle.example"


def know(*, base: str = "http://localhost", door: FakeDoor | None = None, **headers: str) -> Known | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with Flask("x").test_request_context("/", base_url=base, headers=named):
        return identify(door or FakeDoor())


def test_without_credentials_nobody_is_known():
    assert know() is None
    assert know(Cookie="other=1") is None


@pytest.mark.parametrize(
    ("headers", "name", "by_cookie"),
    [
        ({"Authorization": "Bearer reader-token"}, "reader", False),
        ({"Authorization": "bearer  reader-token "}, "reader", False),
        ({"Authorization": "Bearer admin-key"}, "admin-machine", False),
        ({"X_API_Key": "admin-key"}, "admin-machine", False),
        ({"Cookie": "token=reader-token"}, "reader", True),
        ({"Cookie": "token=reader-token", "Authorization": "Bearer reader-token"}, "reader", False),
        ({"X_API_Key": "admin-key", "Authorization": "Bearer admin-key"}, "admin-machine", False),
    ],
)
def test_each_way_to_say_who_asks_is_understood(headers: dict[str, str], name: str, *, by_cookie: bool):
    known = know(**headers)
    assert known is not None
    assert (known.caller.name, known.by_cookie) == (name, by_cookie)


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "token=reader-token", "Authorization": "Bearer admin-token"},
        {"Cookie": "token=reader-token", "X_API_Key": "reader-key"},
        {"Authorization": "Bearer reader-token", "X_API_Key": "admin-key"},
        {"Cookie": "token=expired-token", "Authorization": "Bearer admin-token"},
        {"Cookie": "token=admin-token", "Authorization": "Bearer expired-token"},
    ],
)
def test_credentials_that_disagree_are_refused(headers: dict[str, str]):
    with pytest.raises(Unauthenticated) as refused:
        know(**headers)
    assert refused.value.code == "invalid_token"
    if "expired-token" not in str(headers):
        assert str(refused.value) == "The credentials of this request belong to different callers"


def test_two_logins_of_one_account_do_not_disagree():
    door = FakeDoor()
    (first, _), (second, _) = (
        door.login("rita", "correct horse battery staple"),
        door.login("rita", "correct horse battery staple"),
    )
    known = know(door=door, Cookie=f"token={first.access_token}", Authorization=f"Bearer {second.access_token}")
    assert known is not None
    assert known.caller.session == "s-2"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "reader-token",
        "Basic cmVhZGVyOnRva2Vu",
        "Bearer reader-token admin-token",
        "Bearer reader-token, Bearer reader-token",
        "Bearer reader-token,Bearer admin-token",
        "Bearer\treader-token",
        "Bearer reader-token;",
        "Bearer ré",
        "Bearer =",
        f"Bearer {'a' * 8001}",
        "Token reader-token",
    ],
)
def test_a_malformed_authorization_is_refused_and_never_shown_to_the_door(authorization: str):
    class Shut(FakeDoor):
        def know(self, token: str) -> Any:
            raise AssertionError(token)

    with pytest.raises(Unauthenticated) as refused:
        know(door=Shut(), Authorization=authorization)
    assert (str(refused.value), refused.value.code) == ("Authorization token is invalid", "invalid_token")


@pytest.mark.parametrize("headers", [{"X_API_Key": ""}, {"X_API_Key": "a b"}, {"Cookie": "token="}, {"Cookie": 'token="a b"'}])
def test_a_malformed_key_or_cookie_is_refused(headers: dict[str, str]):
    with pytest.raises(Unauthenticated):
        know(**headers)


def test_over_https_only_the_cookie_counts_that_no_other_host_can_set():
    assert know(base=HTTPS, Cookie="token=reader-token") is None
    known = know(base=HTTPS, Cookie="token=admin-token; __Host-token=reader-token")
    assert known is not None
    assert known.caller.name == "reader"
    assert know(Cookie="__Host-token=reader-token") is None


def cookie_of(base: str, *, cleared: bool = False) -> Any:
    response = Response()
    with Flask("x").test_request_context("/", base_url=base):
        if cleared:
            clear_cookie(response)
        else:
            set_cookie(response, TokenPair("abc", 900))
    return SimpleCookie(response.headers["Set-Cookie"])


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites():
    plain, safe = cookie_of("http://localhost")["token"], cookie_of(HTTPS)["__Host-token"]
    assert not plain["secure"]
    assert safe["secure"] is True
    for cookie in (plain, safe):
        assert cookie.value == "abc"
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Strict", "/", "")
        assert cookie["max-age"] == "900"


def test_the_cookie_is_cleared_with_the_attributes_it_was_set_with():
    plain, safe = cookie_of("http://localhost", cleared=True)["token"], cookie_of(HTTPS, cleared=True)["__Host-token"]
    assert (plain["secure"], safe["secure"]) == ("", True)
    for cookie in (plain, safe):
        assert (cookie.value, cookie["max-age"]) == ("", "0")
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Strict", "/", "")
