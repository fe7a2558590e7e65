import datetime as dt
import threading
import time
from dataclasses import replace

import pytest
import yaml

from main.bootstrap import build_check, build_services, build_sync, make_door, make_terms
from main.resources.accounts.store import SqliteAccounts
from main.resources.cache.file import FileCache
from main.resources.cache.memcached import MemcachedCache
from main.resources.cache.redis import RedisCache
from main.resources.database.engine import sqlite_path
from main.resources.guards.files import FileGuardBook
from main.resources.upstream.watchdog import Watchdog
from main.service.errors import Unauthenticated
from main.service.model import BreakerMode, GuardChange, GuardState, Outcome, Role, TokenTerms
from main.settings import load_settings
from test.fakes import NOW, FakeClock, MemoryCatalogue, MemoryGuardBook, make_source
from test.unit.resources.tokens.providing import ISSUER, IdentityProvider


def test_nothing_is_opened_before_the_life_cycle_says_so(tmp_path):
    config = tmp_path / "config.yml"
    config.write_text("{}")
    settings = load_settings({"AISLE_CONFIG": str(config), "AISLE_DATA": str(tmp_path / "data")})
    reading, syncing = build_services(settings), build_sync(settings)
    assert not (tmp_path / "data").exists()
    for built in (reading, syncing):
        built.lifecycle.open()
        built.lifecycle.close()
    assert (tmp_path / "data" / "aisle.db").exists()


def test_each_part_can_be_replaced(settings):
    clock, catalogue, stop = FakeClock(), MemoryCatalogue(), threading.Event()
    reading = build_services(settings, reader=catalogue, clock=clock)
    syncing = build_sync(settings, writer=catalogue, clock=clock, stop=stop)
    assert reading.status.now() == clock.now()
    assert (syncing.sync.store, syncing.sync.clock, syncing.sync.stop) == (catalogue, clock, stop)


def test_what_guards_know_is_kept_in_the_data_folder_for_every_process(unsynced):
    for _ in range(2):
        build_sync(unsynced, writer=MemoryCatalogue()).sync.sync_all(unsynced.sources)
    book = FileGuardBook(unsynced.data / "guards")
    assert book.read("lumen").calls >= 2
    assert (unsynced.data / "guards").stat().st_mode & 0o777 == 0o700


def test_guards_can_be_given_another_book(unsynced):
    book = MemoryGuardBook()
    book.change("lumen", lambda state: (replace(state, mode=BreakerMode.FORCED_OPEN), None))
    reports = build_sync(unsynced, writer=MemoryCatalogue(), book=book).sync.sync_all(unsynced.sources)
    assert [report.outcome for report in reports] == [Outcome.HELD_BACK, Outcome.OK, Outcome.OK]
    assert reports[0].error == "The source's breaker is forced open by hand."
    assert not (unsynced.data / "guards").exists()


def test_a_source_takes_part_as_a_person_switched_it(settings):
    book = MemoryGuardBook(acme=GuardState(enabled=False))
    reading, syncing = build_services(settings, reader=MemoryCatalogue(), book=book), build_sync(settings, book=book)
    assert [syncing.is_enabled(make_source(name)) for name in ("acme", "depot")] == [False, True]
    reading.sources.change("lumen", GuardChange(sets_enabled=True, enabled=False))
    assert not syncing.is_enabled(settings.sources[0])


def test_a_check_needs_nothing_but_the_shops(settings):
    results = build_check().run(settings.sources)
    assert [(result.source.name, result.reachable) for result in results] == [("lumen", True), ("depot", True), ("parts", True)]


def test_the_parts_fit_together(settings):
    syncing = build_sync(settings, writer=(catalogue := MemoryCatalogue()))
    reports = syncing.sync.sync_all(settings.sources)
    assert {report.outcome for report in reports} == {Outcome.OK}
    assert sum(record.products for record in catalogue.head().records.values()) == 56


@pytest.mark.parametrize(
    ("cache", "shared"),
    [
        ({}, type(None)),
        ({"kind": "file"}, FileCache),
        ({"kind": "memcached", "url": "memcached://cache.example"}, MemcachedCache),
        ({"kind": "redis", "url": "rediss://cache.example:6380/1"}, RedisCache),
    ],
)
def test_the_cache_is_the_one_that_was_asked_for_with_memory_in_front(tmp_path, cache, shared):
    config = tmp_path / "config.yml"
    config.write_text(yaml.safe_dump({"cache": cache}))
    reading = build_services(load_settings({"AISLE_CONFIG": str(config), "AISLE_DATA": str(tmp_path / "data")}))
    assert isinstance(reading.cache._shared, shared)
    assert not (tmp_path / "data").exists()


def test_a_cache_that_is_down_keeps_nobody_from_starting_and_shows_as_down(tmp_path):
    config = tmp_path / "config.yml"
    config.write_text("cache: {kind: redis, url: 'redis://127.0.0.1:1'}")
    reading = build_services(load_settings({"AISLE_CONFIG": str(config), "AISLE_DATA": str(tmp_path / "data")}))
    reading.lifecycle.open()
    found = reading.status.check_ready()
    assert found.ready
    assert {state.name: (state.kind, state.up) for state in found.components} == {
        "catalogue": ("sqlite", True),
        "accounts": ("sqlite", True),
        "door": ("tokens", True),
        "tasks": ("sqlite", True),
        "cache": ("redis", False),
        "live": ("threads", True),
    }
    reading.lifecycle.close()


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
