import datetime as dt
import time

import pytest
import yaml

from main.bootstrap_doors import make_door, make_terms
from main.resources.accounts.store import SqliteAccounts
from main.resources.database.engine import sqlite_path
from main.resources.upstream.watchdog import Watchdog
from main.service.errors import Unauthenticated
from main.service.model import Role, TokenTerms
from main.settings import load_settings
from test.fakes import NOW, FakeClock
from test.unit.resources.tokens.providing import ISSUER, IdentityProvider


class Welcoming:
    """Takes every password of an account that is there."""

    def __init__(self, store):
        self.verify = lambda username, _: store.find(username)


def doors(folder, number, environ=None, **replaced):
    """Give doors of as many workers on one data folder, with the stores they opened."""
    config = folder / "config.yml"
    if not config.exists():
        config.write_text("service: {id: mine}")
    settings = load_settings({"AISLE_CONFIG": str(config), "AISLE_DATA": str(folder / "data"), **(environ or {})})
    made = []
    for _ in range(number):
        store = SqliteAccounts(sqlite_path(settings.store.url, settings.data))
        store.open()
        door = make_door(settings, store, Welcoming(store), **replaced)
        door.open()
        made.append((door, store))
    return made


def test_a_logout_is_refused_by_every_worker_within_a_second_and_after_a_restart(tmp_path):
    (door, store), *others = doors(tmp_path, 4)
    store.add("ada", "h", Role.READER, NOW)
    pair, caller = door.login("ada", "x")
    assert [other.know(pair.access_token) for other, _ in others] == [caller] * 3
    door.logout(caller)
    time.sleep(1)
    for other, _ in [(door, store), *others, *doors(tmp_path, 1)]:
        with pytest.raises(Unauthenticated):
            other.know(pair.access_token)


def test_tokens_are_issued_by_and_for_this_service_unless_the_settings_say_otherwise(tmp_path):
    settings = load_settings({"AISLE_CONFIG": str(tmp_path / "config.yml")}, "service: {id: mine}")
    assert make_terms(settings) == TokenTerms(issuer="mine", audience="mine")
    settings = load_settings({}, "auth: {issuer: me, audience: them, access_minutes: 5, session_hours: 3, refresh_days: 1}")
    times = {"access": dt.timedelta(minutes=5), "session": dt.timedelta(hours=3), "refresh": dt.timedelta(days=1)}
    assert make_terms(settings) == TokenTerms(issuer="me", audience="them", **times)


def test_keys_sign_by_the_algorithm_of_the_settings(tmp_path):
    ((door, _),) = doors(tmp_path, 1, {"AISLE_AUTH__SIGNING__ALGORITHM": "EdDSA"})
    (shown,) = door.public_keys()["keys"]
    assert (shown["kty"], shown["alg"]) == ("OKP", "EdDSA")


def test_a_secret_of_the_settings_signs_without_any_file(tmp_path):
    ((door, store),) = doors(tmp_path, 1, {"AISLE_AUTH__SECRET": "0123456789abcdef" * 2})
    store.add("ada", "h", Role.READER, NOW)
    assert door.know(door.login("ada", "x")[0].access_token).name == "ada"
    assert not (tmp_path / "data" / "keys").exists()


def test_a_provider_of_the_settings_lets_its_callers_in(tmp_path):
    provider = IdentityProvider()
    with provider.up():
        one = {"issuer": ISSUER, "audience": "api", "jwks_url": f"{provider.url}/keys", "roles": {"Staff": "editor"}}
        (tmp_path / "config.yml").write_text(yaml.safe_dump({"auth": {"providers": [one]}}))
        ((door, _),) = doors(tmp_path, 1, clock=FakeClock(), watchdog=Watchdog())
        assert door.know(provider.token()).role is Role.EDITOR
    assert list((tmp_path / "data" / "providers").glob("*.json"))
