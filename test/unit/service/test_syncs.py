from dataclasses import replace

import pytest

from main.service.errors import NotFound, SourceDisabled, StoreDown
from main.service.model import GuardState, SyncState
from main.service.registry import SourceRegistry
from main.service.syncs import SyncsService, SyncStores
from test.fakes import NOW, MemoryCatalogue, make_source

SOURCES = (make_source("acme"), make_source("off", enabled=False))


@pytest.fixture
def syncs(store, book, clock):
    return SyncsService(SyncStores(store, store, book), SourceRegistry(SOURCES), clock)


def test_a_sync_that_is_asked_for_waits_with_a_record(syncs, store):
    store.beat(["acme"], NOW)
    record = syncs.request("acme", force=True)
    assert (record.state, record.force, record.requested_at, record.note) == (SyncState.REQUESTED, True, NOW, None)
    assert syncs.get("acme", record.id) == record
    assert syncs.request("acme", force=False) == record


def test_syncs_come_in_pages(syncs, store):
    syncs.request("acme", force=False)
    begun = store.begin("acme", NOW, force=False)
    waiting = syncs.request("acme", force=False)
    found, total = syncs.find("acme", 1, 1)
    assert ([record.id for record in found], total) == ([waiting.id], 2)
    assert syncs.find("acme", 2, 1) == ([begun], 2)
    assert syncs.find("off", 1, 10) == ([], 0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda service: service.request("nobody", force=False),
        lambda service: service.find("nobody", 1, 9),
        lambda service: service.get("nobody", 1),
        lambda service: service.get("acme", 1),
    ],
)
def test_what_is_not_there_is_not_found(syncs, ask):
    with pytest.raises(NotFound):
        ask(syncs)


@pytest.mark.parametrize("silent", [None, 15, 3600])
def test_a_request_that_nobody_will_take_up_says_so(syncs, store, clock, silent):
    if silent is not None:
        store.beat(["acme"], NOW)
        clock.advance(silent)
    record = syncs.request("acme", force=False)
    assert record.note.startswith("No watcher is running: ")
    assert syncs.get("acme", record.id).note == record.note
    store.beat(["acme"], clock.now())
    assert syncs.get("acme", record.id).note is None


def test_a_sync_that_runs_needs_no_watcher(syncs, store):
    running = store.begin("acme", NOW, force=False)
    assert syncs.get("acme", running.id) == replace(running, note=None)


def test_a_source_that_is_switched_off_is_not_synced(syncs, store, book):
    with pytest.raises(SourceDisabled, match="in the settings"):
        syncs.request("off", force=False)
    book.states["acme"] = GuardState(enabled=False)
    with pytest.raises(SourceDisabled, match="PATCH it with enabled true"):
        syncs.request("acme", force=False)
    assert store.records == {}
    book.states["off"] = GuardState(enabled=True)
    assert syncs.request("off", force=False).state is SyncState.REQUESTED


def test_a_store_that_cannot_be_written_is_said_to_be_down(book, clock):
    store = MemoryCatalogue()
    service = SyncsService(SyncStores(store, MemoryCatalogue(down=True), book), SourceRegistry(SOURCES), clock)
    with pytest.raises(StoreDown):
        service.request("acme", force=False)
