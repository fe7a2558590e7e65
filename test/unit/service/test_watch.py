import itertools
import threading
from datetime import timedelta

import pytest

from main.controller.documents import dump_product
from main.service import watch
from main.service.errors import StoreDown
from main.service.model import GuardState
from main.service.sync import LEASE, SyncService
from main.service.watch import Watcher
from test.fakes import NOW, FakeConnector, MemoryCatalogue, MemoryGuardBook, make_source, raw_record

PATIENCE = 20


@pytest.fixture(autouse=True)
def short_naps(monkeypatch):
    for name in ("_LONGEST_NAP", "_STOP_NAP", "_START_SPREAD"):
        monkeypatch.setattr(watch, name, 0.01)
    monkeypatch.setattr(watch, "_BUSY_WAIT", timedelta(milliseconds=10))


class Shops:
    """Shops that write down who was asked; each answer is one new product."""

    def __init__(self):
        self.asked = []

    def connect(self, source):
        return FakeConnector({None: lambda: self.answer(source.name)}, source=source.name)

    def answer(self, name):
        self.asked.append(name)
        return (raw_record(len(self.asked)),)


def watching(store, clock, stop, shops, *sources, until, book=None):
    """Run a watcher in a thread until a condition holds, then stop it."""
    service = SyncService(store, shops.connect, dump_product, clock, stop)
    thread = threading.Thread(target=Watcher(service, sources, book or MemoryGuardBook()).run)
    thread.start()
    waited = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if until():
            break
        waited.wait(0.01)
    reached = until()
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert reached
    return shops


def test_every_enabled_source_is_synced_at_once_when_it_was_never_due(store, clock, stop):
    shops = Shops()
    sources = [make_source("acme"), make_source("depot"), make_source("off", enabled=False)]
    watching(store, clock, stop, shops, *sources, until=lambda: len(shops.asked) == 2)
    assert sorted(shops.asked) == ["acme", "depot"]


def test_a_source_is_synced_again_when_it_is_due(store, clock, stop):
    source = make_source(every=timedelta(seconds=10))
    shops = Shops()
    watching(store, clock, stop, shops, source, until=lambda: (clock.advance(1), len(shops.asked) >= 3)[1])
    assert clock.seconds >= 10 * 0.9 * 2


def test_a_source_that_is_not_due_is_left_alone(store, clock, stop):
    store.schedule("acme", NOW + timedelta(minutes=1))
    store.schedule("depot", NOW)
    shops = Shops()
    watching(store, clock, stop, shops, make_source("acme"), make_source("depot"), until=lambda: "depot" in shops.asked)
    assert shops.asked == ["depot"]


def test_a_schedule_that_was_made_shorter_is_kept_within_one_round(store, clock, stop):
    store.schedule("acme", NOW + timedelta(days=1))
    shops = Shops()
    source = make_source(every=timedelta(minutes=1))
    watching(store, clock, stop, shops, source, until=lambda: (clock.advance(1), shops.asked)[1])
    assert 60 <= clock.seconds < 3600


def test_a_clock_set_back_delays_a_source_by_one_round_at_most(store, clock, stop):
    store.schedule("acme", NOW + timedelta(seconds=5))
    clock.time -= timedelta(days=30)
    shops = Shops()
    source = make_source(every=timedelta(minutes=1))
    watching(store, clock, stop, shops, source, until=lambda: (clock.advance(1), shops.asked)[1])
    assert clock.seconds < 3600


def test_a_source_that_another_process_syncs_is_tried_again(store, clock, stop):
    store.acquire("acme", "another", NOW + LEASE, NOW)
    shops = Shops()
    watching(store, clock, stop, shops, make_source(), until=lambda: (clock.advance(1), shops.asked)[1])
    assert clock.seconds >= LEASE.total_seconds()


def test_a_store_that_is_down_is_tried_until_it_is_back(clock, stop):
    class Flaky(MemoryCatalogue):
        tries = 0

        def due(self, source):
            self.tries += 1
            self.down = self.tries < 4
            return super().due(source)

    store = Flaky()
    shops = watching(store, clock, stop, Shops(), make_source(), until=lambda: store.rows)
    assert store.tries >= 4
    assert shops.asked == ["acme"]


def test_a_stop_in_the_middle_of_a_crawl_ends_the_watch_and_leaves_only_its_record(store, clock, stop):
    asked, released = threading.Event(), threading.Event()

    class Hanging(Shops):
        def answer(self, name):
            asked.set()
            released.wait(PATIENCE)
            return super().answer(name)

    try:
        watching(store, clock, stop, Hanging(), make_source(), until=asked.is_set)
    finally:
        released.set()
    assert (store.rows, store.leases) == ({}, {})
    assert [record.state for record in store.records.values()] == ["stopped"]


def test_a_watch_over_nothing_waits_until_it_is_stopped(store, clock, stop):
    shops = Shops()
    watching(store, clock, stop, shops, until=lambda: True)
    assert shops.asked == []


# requests, heartbeats and switches


def test_a_sync_that_is_asked_for_is_done_at_once_and_ends_its_record(store, clock, stop):
    store.schedule("acme", NOW + timedelta(hours=1))
    asked = store.request("acme", NOW, force=False)
    watching(store, clock, stop, Shops(), make_source(), until=lambda: store.records[asked.id].state == "ok")
    assert store.records[asked.id].products == 1
    assert store.due("acme") > NOW


def test_a_request_that_comes_while_a_sync_runs_is_taken_up_after_it(store, clock, stop):
    asked, released = threading.Event(), threading.Event()

    class Slow(Shops):
        def answer(self, name):
            asked.set()
            released.wait(PATIENCE)
            return super().answer(name)

    def until():
        if asked.is_set() and not released.is_set():
            store.request("acme", NOW, force=False)
            released.set()
        return [record.state for record in store.records.values()] == ["ok", "ok"]

    shops = watching(store, clock, stop, Slow(), make_source(), until=until)
    assert len(shops.asked) == 2


def test_it_says_which_sources_it_watches_and_says_it_again(store, clock, stop):
    store.schedule("acme", NOW + timedelta(days=1))
    beaten = []

    def until():
        clock.advance(0.2)
        beaten.append(store.beats.get("acme"))
        return len(set(beaten) - {None}) >= 3

    watching(store, clock, stop, Shops(), make_source("acme", every=timedelta(days=2)), until=until)
    gaps = sorted(set(beaten) - {None})
    assert all((later - earlier).total_seconds() >= 4 for earlier, later in itertools.pairwise(gaps))


def test_a_source_is_left_alone_while_it_is_switched_off(store, clock, stop):
    book = MemoryGuardBook(acme=GuardState(enabled=False), off=GuardState(enabled=True))
    shops = Shops()
    sources = [make_source("acme"), make_source("off", enabled=False), make_source("depot")]
    watching(store, clock, stop, shops, *sources, until=lambda: len(shops.asked) == 2, book=book)
    assert sorted(shops.asked) == ["depot", "off"]


def test_a_source_that_is_switched_on_again_is_synced_at_once(store, clock, stop):
    book = MemoryGuardBook(acme=GuardState(enabled=False))
    shops, waits = Shops(), []

    def until():
        waits.append(None)
        if len(waits) == 10:
            assert shops.asked == []
            book.states["acme"] = GuardState()
        return shops.asked

    watching(store, clock, stop, shops, make_source(), until=until, book=book)
    assert len(waits) >= 10


def test_a_heartbeat_that_cannot_be_written_stops_nothing(clock, stop):
    class Mute(MemoryCatalogue):
        def beat(self, sources, now):
            raise StoreDown

    store = Mute()
    watching(store, clock, stop, Shops(), make_source(), until=lambda: store.rows)
