import itertools
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from main.controller.documents import dump_product
from main.service.errors import StoreDown, UpstreamOpen, UpstreamPaused, UpstreamThrottled, UpstreamTimeout
from main.service.model import Outcome, SourceRecord
from main.service.ports.upstream import CrawlPage
from main.service.sync import LEASE, Progress, SyncService, held_wait, next_wait
from main.util.logs import current_request_id
from test.fakes import NOW, FakeConnector, MemoryCatalogue, NotedAftermath, make_product, make_source, put_snapshot, raw_record

SOURCE = make_source(every=timedelta(minutes=5))


def shop(*ids, source="acme"):
    return FakeConnector({None: tuple(map(raw_record, ids))}, source=source)


@pytest.fixture
def make(store, clock, stop):
    def build(*connectors, into=store):
        answers = iter(connectors)
        return SyncService(into, lambda _: next(answers), dump_product, clock, stop)

    return build


def products(store):
    return sorted(row.product.source_id for row in store.rows.values())


def test_a_good_crawl_becomes_the_snapshot(make, store):
    connector = shop(1, 2)
    report = make(connector).sync(SOURCE)
    assert (report.outcome, report.products, report.created, report.version) == (Outcome.OK, 2, 2, 1)
    assert products(store) == ["1", "2"]
    assert connector.closed == 1
    assert store.leases == {}


def test_what_came_changed_or_went_is_counted(make):
    first = FakeConnector({None: (raw_record(1), raw_record(2), raw_record(3))})
    second = FakeConnector({None: (raw_record(1), raw_record(2, "new name"), raw_record(4), raw_record(5, fault="no"))})
    service = make(first, second)
    service.sync(SOURCE)
    report = service.sync(SOURCE)
    assert (report.products, report.created, report.updated, report.deleted) == (3, 1, 1, 1)
    assert (report.rejected, report.pages, report.version) == (1, 1, 2)


def test_a_crawl_that_found_nothing_new_leaves_the_version_alone(make, store):
    service = make(shop(1), shop(1))
    service.sync(SOURCE)
    assert service.sync(SOURCE).outcome is Outcome.OK
    assert store.version == 1


def test_a_failed_crawl_leaves_the_snapshot_and_is_recorded(make, store):
    broken = FakeConnector({None: CrawlPage((raw_record(9),), (1,)), 1: UpstreamTimeout("too slow")})
    service = make(shop(1, 2), broken)
    service.sync(SOURCE)
    report = service.sync(SOURCE)
    assert (report.outcome, report.error_type, report.error) == (Outcome.FAILED, "UpstreamTimeout", "too slow")
    assert products(store) == ["1", "2"]
    record = store.sources["acme"]
    assert (record.outcome, record.failures, record.products, record.error_type) == (Outcome.FAILED, 1, 2, "UpstreamTimeout")
    assert broken.closed == 1
    assert store.leases == {}


@pytest.mark.parametrize("broken", [lambda _: 1 / 0, lambda _: FakeConnector({None: lambda: 1 / 0})])
def test_a_defect_met_by_one_source_is_a_failed_crawl(store, clock, stop, broken):
    report = SyncService(store, broken, dump_product, clock, stop).sync(SOURCE)
    assert (report.outcome, report.error_type) == (Outcome.FAILED, "ZeroDivisionError")
    assert report.error == "An error inside Aisle; the log has its trace."
    assert store.leases == {}


def test_a_source_that_another_process_syncs_is_busy_and_left_alone(make, store):
    assert store.acquire("acme", "another", NOW + LEASE, NOW)
    connector = shop(1)
    report = make(connector).sync(SOURCE)
    assert (report.outcome, report.error) == (Outcome.BUSY, "Another process is syncing this source.")
    assert connector.asked == []
    assert store.leases["acme"][0] == "another"
    assert store.due("acme") is None


def test_the_lease_of_a_process_that_died_runs_out(make, store, clock):
    assert store.acquire("acme", "dead", NOW + LEASE, NOW)
    clock.advance(LEASE.total_seconds())
    assert make(shop(1)).sync(SOURCE).outcome is Outcome.OK


def test_a_long_crawl_keeps_its_lease(make, store, clock):
    def later(*following):
        clock.advance(12)
        return CrawlPage((raw_record(clock.seconds),), following)

    calls = range(1, 10)
    slow = FakeConnector({None: lambda: later(1)} | {n: lambda n=n: later(n + 1) for n in calls} | {10: ()})
    takeovers = []
    progress = lambda _: takeovers.append(store.acquire("acme", "thief", clock.now() + LEASE, clock.now()))  # noqa: E731
    assert make(slow).sync(SOURCE, on_progress=progress).outcome is Outcome.OK
    assert takeovers == [False] * 11


def test_a_crawl_that_lost_its_lease_changes_nothing(make, store, clock):
    def steal():
        clock.advance(LEASE.total_seconds() + 1)
        assert store.acquire("acme", "thief", clock.now() + LEASE, clock.now())
        return (raw_record(1),)

    report = make(FakeConnector({None: steal})).sync(SOURCE)
    assert (report.outcome, report.error) == (Outcome.BUSY, "Another process has taken over this source.")
    assert (store.rows, store.version, store.leases["acme"][0]) == ({}, 0, "thief")


def test_a_lease_lost_just_before_the_commit_changes_nothing(make, store):
    def steal(_):
        store.leases["acme"] = ("thief", NOW + LEASE)

    report = make(shop(1)).sync(SOURCE, on_progress=steal)
    assert report.outcome is Outcome.BUSY
    assert (store.rows, store.version) == ({}, 0)


def test_a_stop_ends_the_crawl_and_leaves_only_its_record(make, store, stop):
    def stopping():
        stop.set()
        return (raw_record(1),)

    report = make(FakeConnector({None: stopping})).sync(SOURCE)
    assert (report.outcome, report.error) == (Outcome.STOPPED, "The crawl was told to stop.")
    assert (store.rows, store.leases) == ({}, {})
    assert [(record.state, record.error) for record in store.records.values()] == [("stopped", report.error)]
    assert store.sources["acme"] == SourceRecord(name="acme")


def test_a_shop_that_lost_more_than_half_waits_for_a_second_crawl_that_agrees(make, store):
    service = make(shop(*range(10)), shop(*range(4)), shop(*range(4)))
    service.sync(SOURCE)
    held = service.sync(SOURCE)
    assert (held.outcome, held.error_type, held.products) == (Outcome.HELD, "Shrunk", 4)
    assert held.error == "The crawl found 4 products where the snapshot has 10; it waits for a second one that agrees."
    assert len(products(store)) == 10
    agreed = service.sync(SOURCE)
    assert (agreed.outcome, agreed.deleted) == (Outcome.OK, 6)
    assert products(store) == ["0", "1", "2", "3"]


def test_a_second_crawl_that_does_not_agree_is_held_as_well(make, store):
    service = make(shop(*range(10)), shop(0, 1, 2), shop(7, 8, 9), shop(7, 8, 9))
    service.sync(SOURCE)
    assert [service.sync(SOURCE).outcome for _ in range(3)] == [Outcome.HELD, Outcome.HELD, Outcome.OK]
    assert products(store) == ["7", "8", "9"]


def test_an_empty_shop_is_believed_the_second_time(make, store):
    service = make(shop(1, 2), shop(), shop())
    service.sync(SOURCE)
    assert [service.sync(SOURCE).outcome for _ in range(2)] == [Outcome.HELD, Outcome.OK]
    assert store.rows == {}


def bad_shop(*ids):
    return FakeConnector({None: tuple(raw_record(number, fault="is negative") for number in ids)})


@pytest.mark.parametrize("force", [False, True])
def test_a_first_crawl_without_a_single_valid_record_fails_and_shows_them_in_quarantine(make, store, force):
    with structlog.testing.capture_logs() as logs:
        report = make(bad_shop(1, 2)).sync(SOURCE, force=force)
    assert (report.outcome, report.error_type, report.received, report.rejected) == (Outcome.FAILED, "NothingValid", 2, 2)
    assert report.error == "Not one of its 2 records is a valid product; the quarantine tells why."
    record = store.sources["acme"]
    assert (record.outcome, record.synced_at, record.rejected, record.failures) == (Outcome.FAILED, None, 2, 1)
    assert [found.position for found in store.rejected["acme"]] == [1, 2]
    assert (store.version, store.shapes) == (0, {})
    assert [line["event"] for line in logs if line["event"].startswith("source.sync")] == [
        "source.sync_started",
        "source.sync_failed",
    ]


def test_a_first_crawl_of_an_empty_shop_and_one_with_a_single_valid_record_are_good(make, store):
    service = make(shop(), FakeConnector({None: (raw_record(1), raw_record(2, fault="is negative"))}))
    assert [service.sync(SOURCE).outcome for _ in range(2)] == [Outcome.OK, Outcome.OK]
    assert (products(store), len(store.rejected["acme"])) == (["1"], 1)


def test_a_later_crawl_that_fails_leaves_the_quarantine_of_the_last_good_one(make, store):
    service = make(
        FakeConnector({None: (raw_record(1), raw_record(2, fault="x"))}), FakeConnector({None: UpstreamTimeout("x")})
    )
    service.sync(SOURCE)
    service.sync(SOURCE)
    assert (store.sources["acme"].rejected, len(store.rejected["acme"])) == (1, 1)


def test_a_shop_whose_records_are_all_wrong_is_not_believed_a_second_time(make, store):
    service = make(shop(1, 2), bad_shop(1, 2), bad_shop(1, 2), bad_shop(1, 2), bad_shop(1, 2))
    service.sync(SOURCE)
    assert [service.sync(SOURCE).outcome for _ in range(3)] == [Outcome.HELD] * 3
    record = store.sources["acme"]
    assert record.error == "Not one of its 2 records is a valid product; the 2 products of the snapshot stay."
    assert products(store) == ["1", "2"]
    assert (service.sync(SOURCE, force=True).outcome, products(store)) == (Outcome.OK, [])


def test_force_believes_a_shrunken_shop_at_once(make, store):
    service = make(shop(*range(10)), shop(1))
    service.sync(SOURCE)
    assert service.sync(SOURCE, force=True).outcome is Outcome.OK
    assert products(store) == ["1"]


@pytest.mark.parametrize(("before", "now", "outcome"), [(10, 5, Outcome.OK), (10, 4, Outcome.HELD), (1, 0, Outcome.HELD)])
def test_losing_exactly_half_is_believed(make, before, now, outcome):
    service = make(shop(*range(before)), shop(*range(now)))
    service.sync(SOURCE)
    assert service.sync(SOURCE).outcome is outcome


def test_a_shop_that_recovers_after_it_was_held_is_taken_as_it_is(make, store):
    service = make(shop(*range(10)), shop(1), shop(*range(10)))
    for _ in range(3):
        service.sync(SOURCE)
    assert len(products(store)) == 10
    assert (store.sources["acme"].outcome, store.held) == (Outcome.OK, {})


def test_progress_is_told_page_by_page(make):
    connector = FakeConnector({None: CrawlPage((raw_record(1),), (1,), 2), 1: CrawlPage((raw_record(2),), (), 2)})
    seen = []
    make(connector).sync(SOURCE, on_progress=seen.append)
    assert seen == [Progress("acme", 1, 1, 2), Progress("acme", 2, 2, 2)]


def test_several_sources_are_synced_together_and_one_failure_is_its_own(store, clock, stop):
    together = threading.Barrier(3)

    def answer():
        together.wait(20)
        return (raw_record(1),)

    shops = {name: FakeConnector({None: answer}, source=name) for name in ("a", "b")}
    shops["c"] = FakeConnector({None: lambda: (together.wait(20) and UpstreamTimeout("x")) or UpstreamTimeout("x")})
    service = SyncService(store, lambda source: shops[source.name], dump_product, clock, stop)
    reports = service.sync_all([make_source(name) for name in "abc"])
    assert [(report.source, report.outcome) for report in reports] == [("a", "ok"), ("b", "ok"), ("c", "failed")]


def test_every_sync_has_a_request_id_of_its_own(make):
    seen = []
    service = make(shop(1), shop(1))
    for _ in range(2):
        service.sync(SOURCE, on_progress=lambda _: seen.append(current_request_id()))
    assert None not in seen
    assert len(set(seen)) == 2
    assert current_request_id() is None


def test_a_good_crawl_is_due_again_after_a_round_and_a_failed_one_soon(make, store, clock):
    service = make(shop(1), FakeConnector({None: UpstreamTimeout("x")}), FakeConnector({None: UpstreamTimeout("x")}))
    waits = []
    for _ in range(3):
        service.sync(SOURCE)
        waits.append((store.due("acme") - clock.now()).total_seconds())
    assert [round(wait, -1 if wait > 60 else None) for wait in waits] == pytest.approx([300, 5, 10], rel=0.1, abs=0.6)


def test_a_stopped_crawl_stays_due(make, store, stop):
    store.schedule("acme", NOW)
    stop.set()
    make(shop(1)).sync(SOURCE)
    assert store.due("acme") == NOW


def test_a_throttled_crawl_is_recorded_as_such(make, store):
    make(FakeConnector({None: UpstreamThrottled("slow down", 429, 30)})).sync(SOURCE)
    assert store.sources["acme"].error_type == "UpstreamThrottled"


def test_a_store_that_is_down_stops_the_sync_and_is_said_to_be(make, store):
    store.down = True
    with pytest.raises(StoreDown):
        make(shop(1)).sync(SOURCE)


def test_a_store_that_cannot_be_written_fails_the_crawl_and_keeps_the_snapshot(make):
    class Unwritable(MemoryCatalogue):
        def stage(self, source):
            raise StoreDown

    store = Unwritable()
    report = make(shop(1), into=store).sync(SOURCE)
    assert (report.outcome, report.error_type) == (Outcome.FAILED, "StoreDown")
    assert store.leases == {}


@pytest.mark.parametrize(
    ("failures", "luck", "seconds"),
    [(0, 0, 300), (0, 1, 330), (0, -1, 270), (1, 0, 5), (2, 0, 10), (3, 0, 20), (7, 0, 300), (10**6, 0, 300), (1, -1, 4.5)],
)
def test_the_wait_doubles_with_each_failure_up_to_a_round(failures, luck, seconds):
    assert next_wait(SOURCE, failures, luck).total_seconds() == pytest.approx(seconds)


def held_back(*errors):
    return [FakeConnector({None: error}) for error in errors]


def test_a_crawl_that_may_make_no_call_is_held_back_and_leaves_the_last_real_error(make, store, clock):
    open_breaker = UpstreamOpen("The shop failed too often; it is tried again in 4 s.", 3.5)
    service = make(shop(1), *held_back(UpstreamTimeout("x"), open_breaker))
    service.sync(SOURCE)
    service.sync(SOURCE)
    before = store.sources["acme"]
    clock.advance(1)
    with structlog.testing.capture_logs() as logs:
        report = service.sync(SOURCE)
    assert (report.outcome, report.error_type, report.retry_after) == (Outcome.HELD_BACK, "UpstreamOpen", 3.5)
    assert report.error == str(open_breaker)
    assert report.finished_at == clock.now()
    assert replace(store.sources["acme"], next_sync_at=before.next_sync_at, last_sync=before.last_sync) == before
    assert (before.error_type, before.failures) == ("UpstreamTimeout", 1)
    assert [record.state for record in store.records.values()] == ["ok", "failed", "held_back"]
    assert store.leases == {}
    assert [(line["event"], line["log_level"]) for line in logs if "held" in line["event"]] == [
        ("source.sync_held_back", "info")
    ]


@pytest.mark.parametrize(("asked", "seconds"), [(3.5, 3.5), (0, 0), (None, 30)])
def test_a_crawl_that_was_held_back_is_due_when_calls_go_through_again(make, store, clock, asked, seconds):
    make(*held_back(UpstreamPaused("x", asked))).sync(SOURCE)
    assert seconds <= (store.due("acme") - clock.now()).total_seconds() <= seconds * 1.1


@pytest.mark.parametrize(
    ("every", "luck", "asked", "seconds"), [(300, -1, 20, 20), (300, 1, 20, 22), (300, 0, None, 31.5), (10, -1, None, 10)]
)
def test_the_wait_of_a_crawl_that_was_held_back_is_never_shorter_than_asked(every, luck, asked, seconds):
    source = make_source(every=timedelta(seconds=every))
    assert held_wait(source, luck, asked).total_seconds() == pytest.approx(seconds)


# records of syncs


def states(store):
    return [record.state for record in store.records.values()]


def test_every_sync_has_a_record_that_ends_with_it(make, store):
    failing = FakeConnector({None: CrawlPage((raw_record(1),), (1,), 5), 1: UpstreamTimeout("too slow")})
    service = make(shop(1, 2), failing)
    done, failed = service.sync(SOURCE), service.sync(SOURCE)
    assert states(store) == ["ok", "failed"]
    good, bad = store.records[done.id], store.records[failed.id]
    assert (good.pages, good.received, good.total, good.products, good.created, good.version) == (1, 2, None, 2, 2, 1)
    assert (bad.pages, bad.received, bad.total, bad.error_type, bad.error) == (1, 1, 5, "UpstreamTimeout", "too slow")


def test_a_sync_takes_up_the_one_that_was_asked_for_and_its_force(make, store):
    service = make(shop(*range(10)), shop(1))
    service.sync(SOURCE)
    asked = store.request("acme", NOW, force=True)
    report = service.sync(SOURCE)
    assert (report.id, report.outcome, report.products) == (asked.id, Outcome.OK, 1)
    assert store.records[asked.id].state == "ok"


def test_a_busy_source_gets_no_record_and_what_was_asked_for_waits(make, store):
    store.request("acme", NOW, force=False)
    store.acquire("acme", "another", NOW + LEASE, NOW)
    assert make(shop(1)).sync(SOURCE).outcome is Outcome.BUSY
    assert states(store) == ["requested"]


def test_a_sync_that_was_asked_for_and_then_stopped_is_due_for_the_next_process(make, store, stop, clock):
    store.schedule("acme", NOW + timedelta(hours=1))
    store.request("acme", NOW, force=False)
    stop.set()
    assert make(shop(1)).sync(SOURCE).outcome is Outcome.STOPPED
    assert (states(store), store.due("acme")) == (["stopped"], NOW)


def test_progress_is_written_at_most_once_a_second(make, store, clock):
    written = []

    class Noting(MemoryCatalogue):
        def progress(self, report):
            super().progress(report)
            written.append((clock.seconds, self.records[report.id]))

    def later(number):
        clock.advance(0.4)
        return CrawlPage((raw_record(number),), (number + 1,) if number < 9 else (), 10)

    slow = FakeConnector({None: lambda: later(0)} | {number: lambda number=number: later(number) for number in range(1, 10)})
    noting = Noting()
    assert make(slow, into=noting).sync(SOURCE).outcome is Outcome.OK
    seconds = [at for at, _ in written]
    assert len(written) >= 2
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(seconds))
    assert all((record.state, record.finished_at, record.total) == ("running", None, 10) for _, record in written[1:])
    assert [record.received for _, record in written] == sorted(record.received for _, record in written)
    assert written[-1][1].products == written[-1][1].received > 0


def test_progress_within_one_long_page_is_written_too(make, clock):
    seen = []

    class Noting(MemoryCatalogue):
        def progress(self, report):
            seen.append((report.pages, report.received))

    def records():
        for number in range(2_000):
            clock.advance(0.01)
            yield raw_record(number)

    assert make(FakeConnector({None: lambda: CrawlPage(records())}), into=Noting()).sync(SOURCE).outcome is Outcome.OK
    assert seen == [(0, 500), (0, 1000), (0, 1500), (0, 2000)]


# shapes


def shaped(*records):
    return FakeConnector({None: records})


def drift_of(store):
    return store.sources["acme"].drift


def test_a_good_crawl_leaves_its_shape_and_the_next_one_is_held_against_it(make, store):
    first = shaped(*(raw_record(n, stock=1, ean="4") for n in range(4)))
    second = shaped(*(raw_record(n, stock="1", barcode="4") for n in range(4)))
    service = make(first, second)
    service.sync(SOURCE)
    assert (store.shapes["acme"].records, drift_of(store)) == (4, None)
    service.sync(SOURCE)
    drift = drift_of(store)
    assert (drift.new, drift.missing, drift.retyped) == (("barcode",), ("ean",), ("stock",))
    assert drift.seen_at == NOW
    assert "barcode" in store.shapes["acme"].fields


def test_the_last_drift_stays_when_nothing_drifts_any_more(make, store):
    service = make(shaped(raw_record(1)), shaped(raw_record(1, a=1)), shaped(raw_record(1, a=1)))
    for _ in range(3):
        service.sync(SOURCE)
    assert drift_of(store).new == ("a",)


def test_a_failed_and_a_held_crawl_tell_their_drift_and_leave_the_good_shape(make, store):
    failing = FakeConnector({None: CrawlPage((raw_record(1, a=1),), (1,)), 1: UpstreamTimeout("too slow")})
    service = make(shaped(*map(raw_record, range(9))), failing, shaped(raw_record(1, b=1)))
    service.sync(SOURCE)
    assert (service.sync(SOURCE).outcome, drift_of(store).new) == (Outcome.FAILED, ("a",))
    assert (service.sync(SOURCE).outcome, drift_of(store).new) == (Outcome.HELD, ("b",))
    assert set(store.shapes["acme"].fields) == {"id", "name"}


def test_only_the_first_records_are_looked_at(make, store):
    make(shaped(*(raw_record(n) for n in range(200)), raw_record(999, late=1))).sync(SOURCE)
    assert store.shapes["acme"].records == 200
    assert "late" not in store.shapes["acme"].fields


# what follows elsewhere


def test_whoever_follows_is_told_each_report_when_the_source_is_free_again(store, clock, stop):
    class Board(NotedAftermath):
        def follow(self, source, report):
            super().follow(source, report)
            assert store.leases == {}

    board = Board()
    report = SyncService(store, lambda _: shop(1), dump_product, clock, stop, after=board).sync(SOURCE)
    assert board.reports == [report]


@pytest.mark.parametrize("board", [NotedAftermath(), None])
def test_what_belongs_to_sources_that_are_gone_is_dropped_and_whoever_follows_is_told_who_is_left(store, clock, stop, board):
    for name in ("acme", "depot"):
        put_snapshot(store, name, [make_product(1, name)])
    service = SyncService(store, lambda _: None, dump_product, clock, stop, after=board)
    assert service.retain([make_source("acme")]) == 1
    assert list(store.sources) == ["acme"]
    assert board is None or board.kept == [{"acme"}]
