import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
import yaml
from werkzeug import Request, Response

from main.bootstrap import build_check, build_services, build_sync
from main.resources.cache.file import FileCache
from main.resources.cache.memcached import MemcachedCache
from main.resources.cache.redis import RedisCache
from main.resources.guards.files import FileGuardBook
from main.service.live import Listed
from main.service.model import BreakerMode, GuardChange, GuardState, LookState, Outcome, Wanted
from main.settings import load_settings
from sample.server import running
from test.fakes import FakeClock, MemoryCatalogue, MemoryGuardBook, make_source


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


@contextmanager
def serving_on_condition():
    """A feed of two products that is sent whole only to who has no copy of it, and the conditions it was asked on."""
    asked = []

    def answer(request):
        asked.append(request.headers.get("If-None-Match"))
        body = b'[{"id": "1", "name": "Lamp", "price": "5.00"}, {"id": "2", "name": "Rug", "price": "7.00"}]'
        return Response(b"" if asked[-1] else body, 304 if asked[-1] else 200, {"ETag": '"v1"'})

    with running(Request.application(answer)) as url:
        yield make_source("fed", kind="feed", url=f"{url}/list.json", format="json"), asked


def test_a_purge_has_the_next_sync_ask_a_shop_on_no_condition(unsynced):
    with serving_on_condition() as (fed, asked):
        settings = replace(unsynced, sources=(fed,))
        reading = build_services(settings, reader=MemoryCatalogue())
        for _ in range(2):
            build_sync(settings, writer=MemoryCatalogue()).sync.sync_all(settings.sources)
        reading.live.purge("fed")
        reports = build_sync(settings, writer=MemoryCatalogue()).sync.sync_all(settings.sources)
    assert asked == [None, '"v1"', None]
    assert [(report.outcome, report.products) for report in reports] == [(Outcome.OK, 2)]


def test_a_look_asks_a_shop_on_a_condition_without_a_trip_to_the_shared_cache(unsynced, monkeypatch):
    keys = []
    with serving_on_condition() as (fed, asked):
        settings = replace(unsynced, sources=(fed,), cache=replace(unsynced.cache, kind="file"))
        reading = build_services(settings, reader=MemoryCatalogue())
        for name in ("get", "set"):
            trip = getattr(reading.cache._shared, name)
            monkeypatch.setattr(reading.cache._shared, name, lambda key, *more, trip=trip: keys.append(key) or trip(key, *more))
        reading.cache.open()
        looks = [reading.live.confirm([Listed("fed", Wanted(number))], 10)[0] for number in "12"]
        reading.live.close()
        reading.cache.close()
    assert [look.state for look in looks] == [LookState.LIVE] * 2
    assert asked == [None, '"v1"']
    assert keys
    assert not [key for key in keys if key.startswith("kept-")]


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
