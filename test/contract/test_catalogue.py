"""What every catalogue must do when it is written; the reading side and other processes have files of their own."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from main.controller.documents import dump_product
from main.service.errors import LeaseLost, StoreDown
from main.service.model import TOMBSTONES_KEPT, Fault, Outcome, Query, Rejected, Tombstone
from test.fakes import NOW, digest_of, ids_of, make_product, make_report, names_of, put_snapshot

SOON = NOW + timedelta(seconds=30)
REJECTED = [Rejected(n, str(n), (Fault("price", "is negative"), Fault("name", "fehlt ☹")), '{"id": 1}') for n in (3, 1, 2)]


def all_ids(reader, **asked):
    return sorted(ids_of(reader.find(Query(per_page=100, **asked))[1].documents))


@contextmanager
def staged(writer, *products, source="acme", owner="one"):
    """A staging area with these products, its lease held."""
    assert writer.acquire(source, owner, SOON, NOW)
    with writer.stage(source) as staging:
        for product in products:
            document = dump_product(product)
            staging.add(product, document, digest_of(document))
        yield staging


# snapshots


def test_a_new_catalogue_is_empty_and_of_version_0(reader):
    head, hits = reader.find(Query(facets=("brand", "price")))
    assert (head.version, head.records, hits.documents, hits.total) == (0, {}, (), 0)
    assert hits.facets == {"brand": (), "price": ()}


def test_a_first_snapshot_is_all_new(reader, writer):
    done = put_snapshot(writer, "acme", [make_product(1), make_product(2)])
    assert (done.created, done.updated, done.deleted, done.version) == (2, 0, 0, 1)
    assert all_ids(reader) == ["acme:1", "acme:2"]
    assert reader.head().version == 1


def test_a_next_snapshot_adds_changes_and_removes(reader, writer):
    put_snapshot(writer, "acme", [make_product(1), make_product(2), make_product(3)])
    done = put_snapshot(writer, "acme", [make_product(1), make_product(2, name="Brass lamp"), make_product(4)])
    assert (done.created, done.updated, done.deleted, done.version) == (1, 1, 1, 2)
    assert all_ids(reader) == ["acme:1", "acme:2", "acme:4"]
    assert names_of([reader.get("acme:2")]) == ["Brass lamp"]
    assert reader.get("acme:3") is None


def test_a_snapshot_without_a_change_leaves_the_version_alone(reader, writer):
    for _ in range(3):
        done = put_snapshot(writer, "acme", [make_product(1)], REJECTED[:1])
    assert (done.created, done.updated, done.deleted, done.version) == (0, 0, 0, 1)
    assert reader.head().version == 1


def test_a_snapshot_may_be_empty(reader, writer):
    assert put_snapshot(writer, "acme", []).version == 0
    put_snapshot(writer, "acme", [make_product(1)])
    assert (put_snapshot(writer, "acme", []).deleted, all_ids(reader)) == (1, [])


def test_a_removed_product_can_come_back(reader, writer):
    for products in ([make_product(1), make_product(2)], [make_product(2)], [make_product(1), make_product(2)]):
        done = put_snapshot(writer, "acme", products)
    assert (done.created, done.version, all_ids(reader)) == (1, 3, ["acme:1", "acme:2"])


def test_a_snapshot_of_thousands_is_whole(reader, writer):
    put_snapshot(writer, "acme", [make_product(n) for n in range(2345)])
    assert reader.find(Query())[1].total == 2345


def test_sources_do_not_touch_each_others_products(reader, writer):
    put_snapshot(writer, "acme", [make_product(1, "acme"), make_product(2, "acme")])
    put_snapshot(writer, "depot", [make_product(1, "depot")])
    put_snapshot(writer, "acme", [make_product(2, "acme")])
    assert all_ids(reader) == ["acme:2", "depot:1"]
    assert reader.head().version == 3


def test_a_snapshot_knows_its_records_by_digest(writer):
    put_snapshot(writer, "acme", [make_product(1), make_product(2)])
    put_snapshot(writer, "depot", [make_product(9, "depot")])
    with writer.stage("acme") as staging:
        assert dict(staging.known()) == {digest_of(dump_product(make_product(n))): str(n) for n in (1, 2)}
        assert staging.counts() == (2, 0)


def test_any_text_is_kept_as_it_is(reader, writer):
    product = make_product("ü/ö:1 'x' \"y\"", name="';--\" مصباح 💡", description="a\nb\tc", brand="O'Neil")
    put_snapshot(writer, "acme", [product])
    assert reader.get(product.id) == dump_product(product)


def test_a_product_that_is_not_there_is_none(reader):
    assert reader.get("acme:404") is None


# staging


def test_what_is_staged_is_invisible_until_it_is_committed(reader, writer):
    with staged(writer, *map(make_product, range(1200))) as staging:
        assert (all_ids(reader), reader.head().version) == ([], 0)
        staging.commit(make_report(products=1200), (), "one")
        assert reader.find(Query())[1].total == 1200


def test_what_is_not_committed_is_gone(reader, writer):
    with staged(writer, make_product(1)):
        pass
    with writer.stage("acme") as staging:
        assert staging.counts() == (0, 0)
    assert all_ids(reader) == []


def test_an_error_within_a_staging_area_leaves_nothing(reader, writer):
    def break_off():
        with staged(writer, make_product(1)):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert (all_ids(reader), reader.head().version) == ([], 0)


def test_two_sources_are_staged_side_by_side(reader, writer):
    with staged(writer, make_product(1), source="acme") as one, staged(writer, make_product(1, "depot"), source="depot") as two:
        two.commit(make_report("depot", products=1), (), "one")
        one.commit(make_report("acme", products=1), (), "one")
    assert all_ids(reader) == ["acme:1", "depot:1"]


# leases and fencing


def test_a_lease_has_one_owner(writer):
    assert writer.acquire("acme", "one", SOON, NOW)
    assert not writer.acquire("acme", "two", SOON, NOW)
    assert writer.acquire("depot", "two", SOON, NOW)


def test_a_lease_is_renewed_by_its_owner(writer):
    later = SOON + timedelta(seconds=30)
    assert writer.acquire("acme", "one", SOON, NOW)
    assert writer.acquire("acme", "one", later, NOW)
    assert not writer.acquire("acme", "two", later, SOON)
    assert writer.acquire("acme", "two", later + timedelta(seconds=30), later)


def test_a_released_lease_is_free_and_only_its_owner_can_release_it(writer):
    assert writer.acquire("acme", "one", SOON, NOW)
    writer.release("acme", "two")
    assert not writer.acquire("acme", "two", SOON, NOW)
    writer.release("acme", "one")
    assert writer.acquire("acme", "two", SOON, NOW)


def test_a_live_lease_shows_in_the_sources_record_even_before_its_first_sync(reader, writer):
    writer.acquire("acme", "one", SOON, NOW)
    assert reader.head().records["acme"].lease_until == SOON
    writer.release("acme", "one")
    assert reader.head().records["acme"].lease_until is None


@pytest.mark.parametrize("taken_over", [True, False])
def test_a_commit_without_the_lease_changes_nothing(reader, writer, taken_over):
    put_snapshot(writer, "acme", [make_product(1)], REJECTED)
    before = reader.head()
    with staged(writer, make_product(2)) as staging:
        writer.release("acme", "one")
        if taken_over:
            assert writer.acquire("acme", "two", SOON, NOW)
        with pytest.raises(LeaseLost):
            staging.commit(make_report(products=1), (), "one")
    assert all_ids(reader) == ["acme:1"]
    assert reader.quarantine("acme", 1, 10)[1] == 3
    assert replace(reader.head().records["acme"], lease_until=None) == before.records["acme"]
    assert reader.head().version == before.version


# quarantine


def test_the_quarantine_comes_in_the_order_of_the_crawl_and_in_pages(reader, writer):
    put_snapshot(writer, "acme", [], REJECTED)
    assert reader.quarantine("acme", 1, 2) == ([REJECTED[1], REJECTED[2]], 3)
    assert reader.quarantine("acme", 2, 2) == ([REJECTED[0]], 3)
    assert reader.quarantine("acme", 9, 2) == ([], 3)


def test_a_next_snapshot_replaces_the_quarantine_of_its_source_only(reader, writer):
    put_snapshot(writer, "acme", [], REJECTED)
    put_snapshot(writer, "depot", [], REJECTED[:1])
    put_snapshot(writer, "acme", [], [Rejected(7, None, (Fault("record", "is null"),), "null")])
    assert [record.position for record in reader.quarantine("acme", 1, 10)[0]] == [7]
    assert reader.quarantine("depot", 1, 10)[1] == 1


def test_a_failed_crawl_leaves_the_quarantine(reader, writer):
    put_snapshot(writer, "acme", [], REJECTED)
    writer.record(make_report(outcome=Outcome.FAILED))
    assert reader.quarantine("acme", 1, 10)[1] == 3


# held crawls


def hold(writer, *source_ids):
    """Hold a crawl that saw these ids; tells whether it agreed with the one held before."""
    with staged(writer, *map(make_product, source_ids)) as staging:
        agreed = staging.held_agrees()
        staging.hold(make_report(outcome=Outcome.HELD, error_type="Shrunk", error="waits", products=len(source_ids)))
    return agreed


def test_a_held_crawl_is_recorded_and_the_snapshot_stays(reader, writer):
    put_snapshot(writer, "acme", [make_product(n) for n in range(10)])
    assert not hold(writer, 1)
    record = reader.head().records["acme"]
    assert (record.outcome, record.error_type, record.failures, record.products) == (Outcome.HELD, "Shrunk", 1, 10)
    assert (reader.find(Query())[1].total, reader.head().version) == (10, 1)


@pytest.mark.parametrize(
    ("first", "second", "agrees"),
    [
        (range(10), range(10), True),
        (range(10), range(1, 10), True),
        (range(10), range(2, 10), False),
        (range(10), range(10, 20), False),
        (range(9), range(10), True),
        ((), (), True),
        ((), (1,), False),
        ((1,), (), False),
    ],
)
def test_a_second_crawl_agrees_when_it_saw_nearly_the_same(writer, first, second, agrees):
    hold(writer, *first)
    assert hold(writer, *second) is agrees


def test_the_last_held_crawl_counts(writer):
    assert [hold(writer, *ids) for ids in ((1, 2), (3, 4), (1, 2), (1, 2))] == [False, False, False, True]


def test_a_held_crawl_counts_for_its_own_source_and_until_the_next_commit(writer):
    hold(writer, 1, 2)
    with writer.stage("depot") as staging:
        assert not staging.held_agrees()
    put_snapshot(writer, "acme", [make_product(n) for n in range(10)])
    assert not hold(writer, 1, 2)


def test_kept_products_count_as_seen(writer):
    put_snapshot(writer, "acme", [make_product(1), make_product(2)])
    hold(writer, 1)
    with staged(writer) as staging:
        staging.keep("1")
        assert staging.counts() == (2, 1)
        assert staging.held_agrees()


# records and schedule


def test_a_good_crawl_is_recorded(reader, writer):
    done = put_snapshot(writer, "acme", [make_product(1)], REJECTED)
    record = reader.head().records["acme"]
    assert (record.products, record.rejected, record.outcome, record.failures) == (1, 3, Outcome.OK, 0)
    assert (record.synced_at, record.attempted_at, record.duration_ms) == (done.finished_at, done.finished_at, 250)


def test_failures_count_up_and_a_good_crawl_ends_them(reader, writer):
    assert writer.failures("acme") == 0
    failed = make_report(outcome=Outcome.FAILED, error_type="UpstreamTimeout", error="too slow")
    for _ in range(3):
        writer.record(failed)
    record = reader.head().records["acme"]
    assert (record.failures, record.outcome, record.error_type, record.error) == (3, "failed", "UpstreamTimeout", "too slow")
    assert (record.synced_at, record.failed_at) == (None, failed.finished_at)
    assert writer.failures("acme") == 3
    put_snapshot(writer, "acme", [make_product(1)])
    record = reader.head().records["acme"]
    assert (record.failures, writer.failures("acme"), record.outcome, record.failed_at) == (0, 0, "ok", failed.finished_at)


def test_a_failure_may_bring_a_quarantine_of_its_own(reader, writer):
    put_snapshot(writer, "depot", [make_product(1)], REJECTED[:1])
    put_snapshot(writer, "acme", [], REJECTED[:1])
    writer.record(make_report(outcome=Outcome.FAILED, error_type="NothingValid", rejected=7), REJECTED)
    record = reader.head().records["acme"]
    assert (record.outcome, record.rejected, reader.quarantine("acme", 1, 10)[1]) == (Outcome.FAILED, 7, 3)
    writer.record(make_report(outcome=Outcome.FAILED, rejected=9))
    assert (reader.head().records["acme"].rejected, reader.quarantine("acme", 1, 10)[1]) == (7, 3)
    assert (reader.head().records["depot"].rejected, reader.quarantine("depot", 1, 10)[1]) == (1, 1)


def test_a_failure_leaves_what_the_last_good_crawl_gave(reader, writer):
    done = put_snapshot(writer, "acme", [make_product(1)], REJECTED)
    writer.record(make_report(outcome=Outcome.FAILED, finished_at=SOON))
    record = reader.head().records["acme"]
    assert (record.products, record.rejected, record.synced_at, record.attempted_at) == (1, 3, done.finished_at, SOON)
    assert reader.head().version == 1


def test_a_source_is_due_when_that_was_recorded_last(reader, writer):
    assert writer.due("acme") is None
    for at in (SOON, NOW):
        writer.schedule("acme", at)
    put_snapshot(writer, "acme", [make_product(1)])
    assert writer.due("acme") == NOW
    assert reader.head().records["acme"].next_sync_at == NOW


# tombstones


def test_what_left_the_catalogue_has_a_tombstone_and_what_is_there_or_never_was_has_none(reader, writer):
    put_snapshot(writer, "acme", [make_product(1), make_product(2), make_product(3)])
    put_snapshot(writer, "acme", [make_product(1)])
    assert reader.tombstone("acme:2") == Tombstone("acme:2", 2, make_report().finished_at)
    assert reader.tombstone("acme:3") == Tombstone("acme:3", 2, make_report().finished_at)
    assert (reader.tombstone("acme:1"), reader.tombstone("acme:9")) == (None, None)


def test_what_comes_back_has_no_tombstone_and_gets_a_new_one_when_it_leaves_again(reader, writer):
    put_snapshot(writer, "acme", [make_product(1), make_product(2)])
    put_snapshot(writer, "acme", [make_product(1)])
    put_snapshot(writer, "acme", [make_product(1), make_product(2)])
    assert reader.tombstone("acme:2") is None
    put_snapshot(writer, "acme", [make_product(1)])
    assert reader.tombstone("acme:2").version == 4


def test_a_crawl_that_is_not_committed_leaves_no_tombstone(reader, writer):
    put_snapshot(writer, "acme", [make_product(1), make_product(2)])
    with staged(writer, make_product(1)) as staging:
        staging.hold(make_report(outcome=Outcome.HELD))
    assert (reader.tombstone("acme:2"), reader.get("acme:2") is None) == (None, False)


def test_a_tombstone_is_taken_down_after_its_time_when_others_are_put_up(reader, writer):
    put_snapshot(writer, "acme", [make_product(1)])
    put_snapshot(writer, "depot", [make_product(1, "depot")])
    writer.retain(["depot"], NOW)
    writer.retain([], NOW + TOMBSTONES_KEPT)
    assert reader.tombstone("acme:1").deleted_at == NOW
    put_snapshot(writer, "depot", [make_product(1, "depot")])
    later = NOW + TOMBSTONES_KEPT + timedelta(seconds=1)
    writer.retain([], later)
    assert (reader.tombstone("acme:1"), reader.tombstone("depot:1")) == (None, Tombstone("depot:1", 6, later))


# sources that are no longer configured


def test_what_belongs_to_a_removed_source_is_dropped(reader, writer):
    put_snapshot(writer, "acme", [make_product(1, "acme")])
    put_snapshot(writer, "depot", [make_product(1, "depot"), make_product(2, "depot")], REJECTED)
    writer.acquire("depot", "one", SOON, NOW)
    assert writer.retain(["acme", "new"], NOW) == 2
    assert all_ids(reader) == ["acme:1"]
    assert (sorted(reader.head().records), reader.head().version) == (["acme"], 3)
    assert reader.tombstone("depot:2") == Tombstone("depot:2", 3, NOW)
    assert reader.quarantine("depot", 1, 10) == ([], 0)
    assert writer.acquire("depot", "two", SOON, NOW)
    assert reader.find(Query())[1].total == 1


def test_nothing_to_drop_changes_nothing(reader, writer):
    put_snapshot(writer, "acme", [make_product(1)])
    assert writer.retain(iter(["acme"]), NOW) == 0
    assert reader.head().version == 1


def test_a_crawl_of_a_source_that_is_dropped_meanwhile_changes_nothing(reader, writer):
    put_snapshot(writer, "acme", [make_product(1)])
    with staged(writer, make_product(2)) as staging:
        writer.retain([], NOW)
        with pytest.raises(LeaseLost):
            staging.commit(make_report(products=1), (), "one")
    assert (all_ids(reader), reader.head().records) == ([], {})


# down


def test_a_working_store_answers_a_ping_and_may_be_closed_twice(pair):
    for store in pair:
        store.ping()
        store.close()
        store.close()


def test_an_unusable_store_is_said_to_be_down(backend, tmp_path):
    reader, writer = backend.make(tmp_path)
    backend.damage(tmp_path, reader)
    calls = [
        reader.open,
        reader.ping,
        reader.head,
        lambda: reader.find(Query()),
        lambda: reader.get("acme:1"),
        lambda: reader.tombstone("acme:1"),
        lambda: reader.quarantine("acme", 1, 10),
        writer.open,
        writer.ping,
        lambda: writer.acquire("acme", "one", SOON, NOW),
        lambda: writer.release("acme", "one"),
        lambda: writer.stage("acme").__enter__(),
        lambda: writer.record(make_report(outcome=Outcome.FAILED)),
        lambda: writer.schedule("acme", NOW),
        lambda: writer.due("acme"),
        lambda: writer.failures("acme"),
        lambda: writer.retain([], NOW),
    ]
    for call in calls:
        with pytest.raises(StoreDown):
            call()


def test_rejected_records_are_found_by_the_id_they_had(reader, writer):
    twice = [Rejected(n, "7", (Fault("id", "is used twice"),), "{}") for n in range(30, 0, -1)]
    put_snapshot(writer, "acme", [], [*twice, Rejected(31, None, (Fault("id", "is missing"),), "{}")])
    put_snapshot(writer, "depot", [], [Rejected(1, "7", (Fault("price", "is missing"),), "{}")])
    assert [record.position for record in reader.rejected_of("acme", "7")] == list(range(1, 21))
    assert [record.faults[0].field for record in reader.rejected_of("depot", "7")] == ["price"]
    assert list(reader.rejected_of("acme", "8")) == []
