from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from test.fakes import PASSWORD
from test.unit.controller.documented import assert_as_documented
from test.unit.controller.guarded import Guarded

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from main.settings import Settings

RIGHT = {"username": "rita", "password": PASSWORD}
HTTPS = "https://localhost"


@pytest.fixture
def guarded(settings: Settings) -> Guarded:
    return Guarded(settings)


def log_in(guarded: Guarded, **given: Any) -> TestResponse:
    answer = guarded.ask("POST", "/auth", **({"json": RIGHT} | given))
    assert_as_documented(guarded.document, "/auth", answer, "post")
    return answer


def test_a_right_password_gives_tokens_and_a_cookie(guarded: Guarded):
    answer = log_in(guarded)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    told = answer.json
    assert set(told) == {"message", "access_token", "token_type", "expires_in", "refresh_token", "csrf_token"}
    assert (told["message"], told["token_type"], told["expires_in"]) == ("Logged in", "Bearer", 900)
    cookie = answer.headers["Set-Cookie"]
    parts = {part.strip() for part in cookie.split(";")}
    assert parts >= {f"token={told['access_token']}", "Max-Age=900", "HttpOnly", "Path=/", "SameSite=Strict"}
    assert "Domain" not in cookie
    assert guarded.ask("GET", "/products", told["access_token"]).status_code == 200
    assert guarded.ask("GET", "/products", headers={"Cookie": f"token={told['access_token']}"}).status_code == 200


def test_over_https_the_cookie_is_the_hosts_own(guarded: Guarded):
    cookie = log_in(guarded, base_url=HTTPS).headers["Set-Cookie"]
    assert cookie.startswith("__Host-token=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}


def test_a_wrong_name_and_a_wrong_password_are_told_alike(guarded: Guarded):
    answers = [log_in(guarded, json={**RIGHT, **wrong}) for wrong in ({"username": "nobody"}, {"password": "wrong"})]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json["detail"] for answer in answers} == {"The username or the password is wrong"}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="aisle"'}
    assert not any("Set-Cookie" in answer.headers for answer in answers)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"json": None, "data": "username=rita&password=x", "content_type": "application/x-www-form-urlencoded"}, 415),
        ({"json": None, "data": b'{"username": "rita"}', "content_type": "text/plain"}, 415),
        ({"json": None, "data": b"{", "content_type": "application/json"}, 400),
        ({"json": None, "data": b"x" * 70_000, "content_type": "application/json"}, 413),
        ({"json": []}, 422),
        ({"json": {}}, 422),
        ({"json": {"username": "rita"}}, 422),
        ({"json": {**RIGHT, "username": ""}}, 422),
        ({"json": {**RIGHT, "username": 1}}, 422),
        ({"json": {**RIGHT, "username": "x" * 201}}, 422),
        ({"json": {**RIGHT, "password": "x" * 1001}}, 422),
        ({"json": {**RIGHT, "role": "admin"}}, 422),
        ({"query_string": {"next": "/"}}, 422),
    ],
)
def test_what_is_no_login_is_refused_and_not_repeated(guarded: Guarded, given: dict[str, Any], status: int):
    if given.get("json", ...) is None:
        del given["json"]
        answer = guarded.ask("POST", "/auth", **given)
    else:
        answer = log_in(guarded, **given)
    assert answer.status_code == status
    assert PASSWORD not in answer.text
    assert "rita" not in answer.text


def test_an_old_cookie_does_not_stand_in_the_way_of_a_login(guarded: Guarded):
    assert log_in(guarded, headers={"Cookie": "token=expired-token", "Authorization": "Basic x"}).status_code == 200


def test_whoever_asks_is_told_who_that_is(guarded: Guarded, settings: Settings):
    def me(server: Guarded, **headers: str) -> Any:
        answer = server.ask("GET", "/auth/me", headers=headers)
        assert_as_documented(server.document, "/auth/me", answer)
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json

    told = me(guarded, Authorization="Bearer editor-token")
    assert told.pop("csrf_token")
    assert told == {"username": "editor", "kind": "account", "role": "editor"}
    assert me(guarded, **{"X-API-Key": "reader-key"})["kind"] == "key"
    assert me(guarded)["status"] == 401
    nobody = {"username": "anonymous", "kind": "anonymous", "role": "reader"}
    assert me(Guarded(settings, anonymous="reader")) == nobody


def test_a_refresh_token_works_once_and_gives_the_next(guarded: Guarded):
    first = log_in(guarded).json

    def refresh(token: str) -> TestResponse:
        answer = guarded.ask("POST", "/auth/refresh", json={"refresh_token": token})
        assert_as_documented(guarded.document, "/auth/refresh", answer, "post")
        assert answer.headers["Cache-Control"] == "no-store"
        return answer

    second = refresh(first["refresh_token"])
    assert (second.status_code, second.json["message"]) == (200, "Refreshed")
    assert f"token={second.json['access_token']};" in second.headers["Set-Cookie"]
    assert guarded.ask("GET", "/products", second.json["access_token"]).status_code == 200
    assert refresh(first["refresh_token"]).status_code == 401
    assert refresh(second.json["refresh_token"]).status_code == 200


def test_after_a_logout_the_token_is_worth_nothing_and_the_cookie_is_gone(guarded: Guarded):
    token = log_in(guarded).json["access_token"]
    answer = guarded.ask("DELETE", "/auth", token)
    assert_as_documented(guarded.document, "/auth", answer, "delete")
    assert (answer.status_code, answer.json, answer.headers["Cache-Control"]) == (200, {"message": "Logged out"}, "no-store")
    assert answer.headers["Set-Cookie"].startswith("token=; ")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert guarded.ask("GET", "/products", token).status_code == 401


def test_a_browser_logs_in_changes_something_and_logs_out(guarded: Guarded):
    browser = guarded.app.test_client()
    page = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    told = browser.post("/auth", json={"username": "ada", "password": PASSWORD}, headers=page).json
    assert browser.post("/sources/lumen/sync", headers=page).status_code == 403
    proven = {**page, "X-CSRF-Token": told["csrf_token"]}
    assert browser.post("/sources/lumen/sync", headers=proven).status_code == 202
    assert browser.delete("/auth", headers=proven).status_code == 200
    assert browser.get("/products").json["detail"] == "Authorization token is missing"


def test_nobody_and_no_key_can_log_out(settings: Settings):
    half_open = Guarded(settings, anonymous="reader")
    assert half_open.ask("DELETE", "/auth").status_code == 401
    answer = half_open.ask("DELETE", "/auth", headers={"X-API-Key": "admin-key"})
    assert (answer.status_code, "keys revoke" in answer.json["detail"]) == (403, True)
    assert half_open.ask("GET", "/products", headers={"X-API-Key": "admin-key"}).status_code == 200


def test_public_keys_are_shown_to_everybody_for_a_minute(guarded: Guarded):
    answer = guarded.ask("GET", "/.well-known/jwks.json")
    assert_as_documented(guarded.document, "/.well-known/jwks.json", answer)
    assert (answer.json, answer.headers["Cache-Control"]) == ({"keys": [{"kty": "OKP", "kid": "1"}]}, "public, max-age=60")
    guarded.door.public_keys = dict
    assert guarded.ask("GET", "/.well-known/jwks.json").json == {"keys": []}


def test_tokens_are_in_no_log(guarded: Guarded, log_lines: Any):
    told = log_in(guarded).json
    guarded.ask("GET", "/products", told["access_token"])
    guarded.ask("GET", "/products", "wrong-token")
    logged = str(log_lines())
    assert logged.count("request.served") == 3
    assert not any(secret in logged for secret in (PASSWORD, told["refresh_token"], told["csrf_token"], "wrong-token"))


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/auth"), ("GET", "/auth/me"), ("POST", "/auth/refresh"), ("GET", "/.well-known/jwks.json")]
)
def test_a_parameter_that_there_is_not_is_refused_before_anything_is_done(guarded: Guarded, method: str, path: str):
    told = log_in(guarded).json
    body = {"json": {"refresh_token": told["refresh_token"]}} if method == "POST" else {}
    answer = guarded.ask(method, path, told["access_token"], query_string={"next": "/"}, **body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["next"])
    assert guarded.ask("GET", "/products", told["access_token"]).status_code == 200
    assert guarded.ask("POST", "/auth/refresh", json={"refresh_token": told["refresh_token"]}).status_code == 200


def test_tries_are_counted_for_the_account_and_not_for_all_accounts_of_an_address(guarded: Guarded):
    wrong = {"password": "wrong"}
    for number in range(22):
        assert log_in(guarded, json={"username": f"user{number}", **wrong}).status_code == 401
    told = [log_in(guarded, json={"username": "rita", **wrong}) for _ in range(6)]
    assert [answer.status_code for answer in told] == [401] * 5 + [429]
    assert told[-1].headers["Retry-After"] == "1"
