import itertools
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from main.controller.documents import dump_product
from main.service import watch
from main.service.errors import StoreDown
from main.service.model import GuardState
from main.service.registry import SourceRegistry
from main.service.sync import LEASE, SyncService
from main.service.watch import Watcher
from test.fakes import (
    NOW,
    FakeConnector,
    MemoryCatalogue,
    MemoryGuardBook,
    NotedAftermath,
    make_product,
    make_source,
    put_snapshot,
    raw_record,
)

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
    with running(Watcher(service, SourceRegistry(sources), book or MemoryGuardBook()), stop):
        wait_until(until)
    return shops


@contextmanager
def running(watcher, stop):
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def wait_until(condition):
    waited = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return
        waited.wait(0.01)
    assert condition()


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


class FakeFollower:
    """Takes over what a test puts into ``next``."""

    def __init__(self, registry):
        self.registry = registry
        self.next = None
        self.signalled = 0
        self.introduced = 0

    def introduce(self):
        self.introduced += 1

    def follow(self):
        sources, self.next = self.next, None
        if sources is not None:
            self.registry.replace(sources)
        return sources is not None

    def reload(self):
        self.signalled += 1
        return self.follow()


class Watched:
    """A watcher that runs, whose sources a test changes."""

    def __init__(self, store, clock, stop, shops, *sources, only=(), after=None, follower=FakeFollower):
        self.registry = SourceRegistry(sources)
        self.follower = follower(self.registry)
        service = SyncService(store, shops.connect, dump_product, clock, stop, after=after)
        self.watcher = Watcher(service, self.registry, MemoryGuardBook(), self.follower, only=only)


class HeldShops(Shops):
    """Shops of which some hang until they are released; each remembers the URL it was asked under."""

    def __init__(self, *held):
        super().__init__()
        self.held = set(held)
        self.released = threading.Event()

    def connect(self, source):
        return FakeConnector({None: lambda: self.answer(f"{source.name} {source.url}")}, source=source.name)

    def answer(self, name):
        answer = super().answer(name)
        if name in self.held:
            self.released.wait(PATIENCE)
        return answer

    def count(self, name):
        return sum(asked.split()[0] == name for asked in self.asked)


@pytest.fixture
def watched(store, clock, stop):
    return lambda shops, *sources, **more: Watched(store, clock, stop, shops, *sources, **more)


def test_a_source_that_is_added_begins_at_once_and_the_others_go_on(watched, store, stop):
    found = watched(HeldShops(), make_source("acme"))
    with running(found.watcher, stop):
        wait_until(lambda: store.rows)
        store.schedule("depot", NOW + timedelta(days=1))  # left from an earlier time
        found.follower.next = [make_source("acme"), make_source("depot")]
        wait_until(lambda: len(store.rows) == 2)
    assert [record.source for record in store.records.values() if record.finished_at and record.state == "ok"] == [
        "acme",
        "depot",
    ]
    assert found.follower.introduced == 1


def test_a_source_that_is_removed_leaves_with_all_its_products(watched, store, stop):
    found = watched(HeldShops(), make_source("acme"), make_source("depot"))
    with running(found.watcher, stop):
        wait_until(lambda: len(store.rows) == 2)
        found.follower.next = [make_source("acme")]
        wait_until(lambda: list(store.sources) == ["acme"])
    assert [row.product.source for row in store.rows.values()] == ["acme"]


def test_a_source_that_is_removed_is_forgotten_by_the_board_once_nothing_of_it_runs(watched, store, stop):
    board = NotedAftermath()
    found = watched(HeldShops(), make_source("acme"), make_source("depot"), after=board)
    with running(found.watcher, stop):
        wait_until(lambda: len(store.rows) == 2)
        found.follower.next = [make_source("acme")]
        wait_until(lambda: board.kept)
    assert board.kept == [{"acme"}]
    assert not [thread for thread in threading.enumerate() if thread.name == "watch-depot"]


def test_a_removed_source_in_the_middle_of_a_crawl_leaves_no_trace(watched, store, stop):
    shops = HeldShops("depot http://depot.example")
    found = watched(shops, make_source("acme"), make_source("depot"))
    try:
        with running(found.watcher, stop):
            wait_until(
                lambda: (
                    shops.count("depot")
                    and "acme" in {record.source for record in store.records.values() if record.state == "ok"}
                )
            )
            found.follower.next = [make_source("acme")]
            wait_until(lambda: list(store.sources) == ["acme"])
    finally:
        shops.released.set()
    assert (list(store.sources), store.leases) == (["acme"], {})


def test_a_changed_source_is_crawled_anew_and_the_crawl_in_hand_ends_without_a_trace(watched, store, stop):
    shops = HeldShops("acme http://acme.example", "depot http://depot.example")
    found = watched(shops, make_source("acme"), make_source("depot"))
    try:
        with running(found.watcher, stop):
            wait_until(lambda: shops.count("acme") == shops.count("depot") == 1)
            found.follower.next = [make_source("acme", url="http://moved.example"), make_source("depot")]
            # Its products are there a moment before its record has ended.
            wait_until(lambda: [record.source for record in store.records.values() if record.state == "ok"] == ["acme"])
            shops.released.set()
            wait_until(lambda: len(store.rows) == 2)
    finally:
        shops.released.set()
    assert shops.asked.count("depot http://depot.example") == 1
    assert shops.asked[-1] == "acme http://moved.example"


def test_a_changed_source_does_not_wait_for_its_schedule(watched, store, stop):
    shops = HeldShops()
    found = watched(shops, make_source("acme"))
    with running(found.watcher, stop):
        wait_until(lambda: store.due("acme"))
        found.follower.next = [make_source("acme", url="http://moved.example")]
        wait_until(lambda: shops.count("acme") == 2)


def test_a_source_that_is_disabled_stops_and_keeps_its_products(watched, store, stop, clock):
    shops = HeldShops()
    found = watched(shops, make_source("acme"), make_source("depot"))
    with running(found.watcher, stop):
        wait_until(lambda: len(store.rows) == 2)
        found.follower.next = [make_source("acme"), make_source("depot", enabled=False)]
        wait_until(lambda: found.follower.next is None)  # or the clock would have the depot fall due before it is stopped
        wait_until(lambda: (clock.advance(30), shops.count("acme") >= 3)[1])
    assert shops.count("depot") == 1
    assert len([row for row in store.rows.values() if row.product.source == "depot"]) == 1


def test_a_reload_that_changes_nothing_disturbs_nobody(watched, store, stop):
    shops = HeldShops("acme http://acme.example")
    found = watched(shops, make_source("acme"))
    try:
        with running(found.watcher, stop):
            wait_until(lambda: shops.asked)
            found.follower.next = [make_source("acme")]
            wait_until(lambda: found.follower.next is None)
            shops.released.set()
            wait_until(lambda: store.rows)
    finally:
        shops.released.set()
    assert shops.count("acme") == 1


def test_a_signal_only_sets_a_flag_and_the_watch_reads_again(watched, store, stop):
    found = watched(HeldShops(), make_source("acme"))
    found.follower.next = None
    with running(found.watcher, stop):
        found.watcher.ask_reload()
        wait_until(lambda: found.follower.signalled)
        wait_until(lambda: store.rows)
    assert found.follower.signalled == 1


def test_a_watch_over_some_sources_stays_with_them_and_drops_nothing(watched, store, stop):
    shops = HeldShops()
    put_snapshot(store, "old", [make_product(1, "old")])
    found = watched(shops, make_source("acme"), make_source("depot"), only=("acme",))
    with running(found.watcher, stop):
        wait_until(lambda: shops.count("acme"))
        found.follower.next = [make_source("acme", url="http://moved.example"), make_source("new")]
        wait_until(lambda: shops.count("acme") == 2)
    assert {shops.count(name) for name in ("depot", "new")} == {0}
    assert "old" in store.sources


def test_what_a_removed_source_leaves_is_dropped_when_the_store_is_back(clock, stop):
    class Flaky(MemoryCatalogue):
        tries = 0

        def retain(self, sources, now):
            self.tries += 1
            if self.tries < 3:
                raise StoreDown
            return super().retain(sources, now)

    store, shops = Flaky(), HeldShops()
    found = Watched(store, clock, stop, shops, make_source("acme"))
    with running(found.watcher, stop):
        wait_until(lambda: store.rows)
        found.follower.next = []
        wait_until(lambda: (clock.advance(1), not store.rows)[1])
    assert store.tries == 3


def test_a_changed_source_that_another_process_syncs_is_begun_when_that_is_over(watched, store, stop, clock):
    shops = HeldShops()
    found = watched(shops)
    with running(found.watcher, stop):
        store.acquire("acme", "another", NOW + LEASE, NOW)
        store.schedule("acme", NOW + timedelta(days=1))
        found.follower.next = [make_source("acme", every=timedelta(days=2))]
        wait_until(lambda: (clock.advance(1), shops.asked)[1])
    assert LEASE.total_seconds() <= clock.seconds < 3600


def test_a_watch_that_breaks_leaves_no_thread_behind(watched, store, stop):
    class Broken(FakeFollower):
        def reload(self):
            raise ZeroDivisionError

    found = watched(HeldShops(), make_source("acme"), make_source("depot"), follower=Broken)
    found.watcher.ask_reload()
    with pytest.raises(ZeroDivisionError):
        found.watcher.run()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch-")]


def test_a_thread_that_cannot_be_had_ends_the_watch_and_those_that_were(watched, stop, monkeypatch):
    begin = threading.Thread.start

    def start(thread):
        if thread.name == "watch-depot":
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    found = watched(HeldShops(), make_source("acme"), make_source("depot"))
    with pytest.raises(RuntimeError, match="can't start"):
        found.watcher.run()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch-")]


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
