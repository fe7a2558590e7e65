"""The authorisation matrix of the Swagger document, and forged tokens, against the real door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from main.bootstrap_doors import make_keys
from main.service.model import Role
from test.integration.house import House
from test.unit.resources.tokens.forgeries import FORGERIES, good

if TYPE_CHECKING:
    from main.settings import Settings

WHO = [None, *(role.value for role in Role), "expired", "revoked"]
WAYS = ["header", "cookie", "key"]
REFUSED = 'Bearer realm="aisle", error="invalid_token"'


@pytest.fixture(scope="module")
def house(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(settings, tmp_path_factory.mktemp("house"), issuer="aisle", audience="api")


def expect(role: str, who: str | None, *, is_logout_by_key: bool) -> int:
    """The status that is right; 200 stands for all that are no error."""
    if role == "public":
        return 200
    if who not in set(Role):
        return 401
    return 200 if Role(who).allows(Role(role)) and not is_logout_by_key else 403


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", WHO)
def test_no_cell_of_the_authorisation_matrix_is_wrong(house: House, who: str | None, way: str):
    wrong, cells = [], 0
    for path, method, role, body in house.operations():
        answer = house.send(path, method, body, house.enter(who, way))
        found = answer.status_code if answer.status_code >= 400 else 200
        if found != expect(role, who, is_logout_by_key=way == "key" and (method, path) == ("delete", "/auth")):
            wrong.append(f"{method} {path}: {answer.status_code}")
        if found == 401:
            assert answer.headers["WWW-Authenticate"] == ('Bearer realm="aisle"' if who is None else REFUSED)
        cells += 1
    assert wrong == []
    assert cells >= 35


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", [who for who in WHO if who != "admin"])
def test_what_is_refused_has_no_effect(house: House, who: str | None, way: str):
    reading = house.enter("reader", "header")
    before = (house.syncs(reading), house.ask("GET", "/sources/lumen", headers=reading).json)
    for path, method, role, body in house.operations():
        if role == "admin":
            assert house.send(path, method, body, house.enter(who, way)).status_code in {401, 403}
    assert (house.syncs(reading), house.ask("GET", "/sources/lumen", headers=reading).json) == before


@pytest.fixture(scope="module", params=["HS256", "EdDSA", "RS256"])
def signed(request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house whose tokens are signed in each way there is."""
    signing = type(settings.auth.signing)(request.param)
    return House(settings, tmp_path_factory.mktemp("signed"), issuer="aisle", audience="api", signing=signing)


def test_a_forged_token_is_refused_wherever_it_stands(signed: House):
    """As a client would send it: the door knows the key, the account and all the claims, and the token is still none."""
    key, wrong = make_keys(signed.settings, signed.clock).signer(), []
    assert signed.ask("GET", "/auth/me", headers={"Authorization": f"Bearer {good(key)}"}).json["role"] == "admin"
    for name, forge in FORGERIES.items():
        token = forge(key).replace("\n", "%0a")
        quoted = token.replace('"', '\\"')
        for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f'token="{quoted}"'}, {"X-API-Key": token}):
            answer = signed.ask("GET", "/products", headers=headers)
            if (answer.status_code, answer.headers.get("WWW-Authenticate")) != (401, REFUSED):
                wrong.append((name, *headers, answer.status_code, answer.headers.get("WWW-Authenticate")))
    assert wrong == []
