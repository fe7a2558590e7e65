"""What every catalogue must do with the records of syncs, heartbeats, shapes and drifts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from main.service.errors import StoreDown
from main.service.model import Drift, FieldShape, LastSync, Outcome, Shape, SyncRecord, SyncState
from test.fakes import NOW, make_product, make_report, put_snapshot

LATER = NOW + timedelta(seconds=5)
SHAPE = Shape(2, {"id": FieldShape(2, frozenset({"string"})), "a.b": FieldShape(1, frozenset({"null", "number"}))})
DRIFT = Drift(seen_at=LATER, new=("a.b", "ü"), retyped=("id",))


def states(reader, source="acme"):
    return [record.state for record in reader.syncs(source, 1, 100)[0]]


def begin(writer, source="acme", *, force=False, now=NOW):
    """Begin a sync the way a process does: with the lease."""
    assert writer.acquire(source, "one", now + timedelta(seconds=30), now)
    return writer.begin(source, now, force=force)


# asked for


def test_a_sync_that_is_asked_for_has_a_record_at_once(reader, writer):
    record = writer.request("acme", NOW, force=False)
    assert record == SyncRecord(id=record.id, source="acme", state=SyncState.REQUESTED, requested_at=NOW)
    assert reader.sync("acme", record.id) == record
    assert reader.syncs("acme", 1, 10) == ([record], 1)


def test_one_request_waits_per_source_and_is_forced_if_anybody_asks_for_that(reader, writer):
    first = writer.request("acme", NOW, force=False)
    other = writer.request("depot", NOW, force=False)
    assert other.id != first.id
    assert writer.request("acme", LATER, force=True) == replace(first, force=True)
    assert writer.request("acme", LATER, force=False) == replace(first, force=True)
    assert reader.syncs("acme", 1, 10)[1] == 1


def test_a_source_is_due_since_its_sync_was_asked_for(writer):
    writer.schedule("acme", NOW + timedelta(hours=1))
    writer.request("acme", LATER, force=False)
    assert writer.due("acme") == LATER
    writer.request("new", NOW, force=False)
    assert writer.due("new") == NOW


def test_the_newest_sync_shows_in_the_sources_record(reader, writer):
    writer.acquire("acme", "one", LATER, NOW)
    assert reader.head().records["acme"].last_sync is None
    record = writer.request("acme", NOW, force=False)
    assert reader.head().records["acme"].last_sync == LastSync("acme", record.id, SyncState.REQUESTED)
    begin(writer)
    assert reader.head().records["acme"].last_sync == LastSync("acme", record.id, SyncState.RUNNING)


# begun


def test_a_sync_that_begins_is_the_one_that_was_asked_for(reader, writer):
    asked = writer.request("acme", NOW, force=True)
    record = begin(writer, now=LATER)
    assert record == replace(asked, state=SyncState.RUNNING, started_at=LATER)
    assert reader.sync("acme", asked.id) == record


def test_a_sync_nobody_asked_for_gets_a_record_of_its_own(reader, writer):
    record = begin(writer, force=True)
    assert record == SyncRecord(id=record.id, source="acme", state=SyncState.RUNNING, force=True, started_at=NOW)
    assert writer.due("acme") is None


def test_a_source_whose_sync_was_asked_for_stays_due_until_it_has_ended(writer):
    writer.schedule("acme", NOW + timedelta(hours=1))
    writer.request("acme", NOW, force=False)
    begin(writer, now=LATER)
    assert writer.due("acme") == LATER


def test_a_request_that_comes_while_a_sync_runs_waits_for_the_next_one(reader, writer):
    running = begin(writer)
    waiting = writer.request("acme", LATER, force=False)
    assert waiting.id != running.id
    writer.record(make_report(outcome=Outcome.FAILED, id=running.id))
    assert states(reader) == [SyncState.REQUESTED, SyncState.FAILED]
    assert begin(writer).id == waiting.id


def test_what_a_killed_process_left_running_is_stopped_when_the_next_sync_begins(reader, writer):
    left, other = begin(writer), begin(writer, "depot")
    writer.progress(make_report(id=left.id, pages=3, received=90))
    begin(writer, now=LATER)
    stopped = reader.sync("acme", left.id)
    assert (stopped.state, stopped.finished_at, stopped.pages) == (SyncState.STOPPED, LATER, 3)
    assert stopped.error == "The process that ran it ended before the sync did."
    assert reader.sync("depot", other.id).state is SyncState.RUNNING


# under way and ended


def test_progress_is_seen_while_the_sync_runs(reader, writer):
    record = begin(writer)
    writer.progress(make_report(id=record.id, pages=2, received=60, total=200, products=58, rejected=2))
    seen = reader.sync("acme", record.id)
    assert (seen.state, seen.started_at, seen.finished_at) == (SyncState.RUNNING, NOW, None)
    assert (seen.pages, seen.received, seen.total, seen.products, seen.rejected) == (2, 60, 200, 58, 2)


def test_a_good_sync_ends_its_record(reader, writer):
    writer.request("acme", NOW, force=False)
    record = begin(writer)
    with writer.stage("acme") as staging:
        staging.add(make_product(1), b"{}", b"1")
        report = make_report(id=record.id, products=1, rejected=2, pages=1, received=3, total=3)
        done = staging.commit(report, (), "one")
    seen = reader.sync("acme", record.id)
    assert (seen.state, seen.requested_at, seen.finished_at) == (SyncState.OK, NOW, done.finished_at)
    assert (seen.products, seen.rejected, seen.created, seen.version) == (1, 2, 1, 1)
    assert (seen.pages, seen.received, seen.total) == (1, 3, 3)
    assert reader.syncs("acme", 1, 10)[1] == 1


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.HELD])
def test_a_sync_that_leaves_the_snapshot_ends_its_record_with_the_reason(reader, writer, outcome):
    record = begin(writer)
    report = make_report(outcome=outcome, id=record.id, error_type="Shrunk", error="why")
    with writer.stage("acme") as staging:
        staging.hold(report) if outcome is Outcome.HELD else writer.record(report)
    seen = reader.sync("acme", record.id)
    assert (seen.state, seen.error_type, seen.error) == (outcome.value, "Shrunk", "why")


@pytest.mark.parametrize("outcome", [Outcome.STOPPED, Outcome.BUSY, Outcome.HELD_BACK])
def test_a_sync_that_was_given_up_says_nothing_about_its_source(reader, writer, outcome):
    record = begin(writer)
    before = reader.head().records["acme"]
    writer.abandon(make_report(outcome=outcome, id=record.id, error="The process is being stopped."))
    seen = reader.sync("acme", record.id)
    ended = SyncState.HELD_BACK if outcome is Outcome.HELD_BACK else SyncState.STOPPED
    assert (seen.state, seen.error) == (ended, "The process is being stopped.")
    after = reader.head().records["acme"]
    assert replace(after, last_sync=None) == replace(before, last_sync=None)


def test_a_process_that_was_taken_for_dead_does_not_overwrite_what_was_written_of_it(reader, writer):
    record = begin(writer)
    begin(writer, now=LATER)
    left = reader.sync("acme", record.id)
    writer.progress(make_report(id=record.id, pages=9))
    writer.record(make_report(outcome=Outcome.FAILED, id=record.id))
    assert reader.sync("acme", record.id) == left


def test_a_report_without_a_record_gets_one(reader, writer):
    put_snapshot(writer, "acme", [make_product(1)])
    (record,), total = reader.syncs("acme", 1, 10)
    assert (record.state, record.started_at, record.created, total) == (SyncState.OK, NOW, 1, 1)


# read


def test_syncs_come_in_pages_newest_first_and_one_by_one(reader, writer):
    numbers = [begin(writer).id for _ in range(5)]
    begin(writer, "depot")
    assert ([record.id for record in reader.syncs("acme", 1, 2)[0]], reader.syncs("acme", 1, 2)[1]) == (numbers[:2:-1], 5)
    assert [record.id for record in reader.syncs("acme", 3, 2)[0]] == numbers[:1]
    assert reader.syncs("acme", 9, 2) == ([], 5)
    assert reader.syncs("nobody", 1, 2) == ([], 0)


@pytest.mark.parametrize("number", [0, -1, 99, 2**63 - 1, 2**63, 10**30])
def test_a_sync_that_is_not_there_is_none(reader, writer, number):
    begin(writer)
    assert reader.sync("acme", number) is None


def test_a_sync_belongs_to_its_source(reader, writer):
    record = begin(writer)
    assert reader.sync("depot", record.id) is None


def test_the_number_of_a_sync_that_is_gone_is_not_given_again(reader, writer):
    record = begin(writer)
    writer.retain([], NOW)
    assert reader.syncs("acme", 1, 10) == ([], 0)
    assert begin(writer).id > record.id


def test_only_the_newest_two_hundred_of_a_source_are_kept_however_many_others_have(reader, writer):
    oldest = writer.request("depot", NOW, force=False)
    for _ in range(203):
        begin(writer)
    found, total = reader.syncs("acme", 1, 300)
    assert (len(found), total) == (200, 200)
    assert reader.sync("depot", oldest.id) == oldest


# watchers


def test_a_watcher_says_which_sources_it_watches(reader, writer):
    assert reader.watched_at("acme") is None
    writer.beat(["acme", "depot"], NOW)
    writer.beat(["acme"], LATER)
    writer.beat([], LATER)
    assert (reader.watched_at("acme"), reader.watched_at("depot"), reader.watched_at("nobody")) == (LATER, NOW, None)


# shapes and drifts


def end(writer, outcome, **given):
    report = make_report(outcome=outcome, id=begin(writer).id, **given)
    with writer.stage("acme") as staging:
        if outcome is Outcome.OK:
            staging.commit(report, (), "one")
        elif outcome is Outcome.HELD:
            staging.hold(report)
        else:
            writer.record(report)


def test_the_shape_of_the_last_good_crawl_is_kept(writer):
    assert writer.shape("acme") is None
    end(writer, Outcome.OK, shape=SHAPE)
    assert writer.shape("acme") == SHAPE
    assert writer.shape("depot") is None
    end(writer, Outcome.OK, shape=Shape(1, {}))
    assert writer.shape("acme") == Shape(1, {})


@pytest.mark.parametrize(
    ("outcome", "shape"),
    [(Outcome.FAILED, Shape(1, {})), (Outcome.HELD, Shape(1, {})), (Outcome.OK, Shape(0, {})), (Outcome.OK, None)],
)
def test_a_crawl_that_was_not_good_or_got_nothing_leaves_the_shape(writer, outcome, shape):
    end(writer, Outcome.OK, shape=SHAPE)
    end(writer, outcome, shape=shape)
    assert writer.shape("acme") == SHAPE


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.FAILED, Outcome.HELD])
def test_the_last_drift_is_kept_with_its_time(reader, writer, outcome):
    end(writer, Outcome.OK, shape=SHAPE)
    assert reader.head().records["acme"].drift is None
    end(writer, outcome, drift=DRIFT)
    end(writer, outcome)
    assert reader.head().records["acme"].drift == DRIFT
    assert writer.shape("acme") == SHAPE


def test_what_was_written_of_a_removed_source_goes_with_it(reader, writer):
    end(writer, Outcome.OK, shape=SHAPE, drift=DRIFT)
    writer.beat(["acme"], NOW)
    writer.retain([], NOW)
    assert (writer.shape("acme"), reader.watched_at("acme"), reader.syncs("acme", 1, 10)) == (None, None, ([], 0))
    begin(writer)
    assert reader.head().records["acme"].drift is None


# down


def test_an_unusable_store_is_said_to_be_down_here_too(backend, tmp_path):
    reader, writer = backend.make(tmp_path)
    backend.damage(tmp_path, reader)
    report = make_report(outcome=Outcome.STOPPED, id=1)
    calls = [
        lambda: reader.syncs("acme", 1, 10),
        lambda: reader.sync("acme", 1),
        lambda: reader.watched_at("acme"),
        lambda: writer.request("acme", NOW, force=False),
        lambda: writer.begin("acme", NOW, force=False),
        lambda: writer.progress(report),
        lambda: writer.abandon(report),
        lambda: writer.shape("acme"),
        lambda: writer.beat(["acme"], NOW),
    ]
    for call in calls:
        with pytest.raises(StoreDown):
            call()
