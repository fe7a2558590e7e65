import threading

from main.bootstrap import build_check, build_services, build_sync
from main.service.model import GuardChange, GuardState, Outcome
from main.settings import load_settings
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


def test_a_source_takes_part_as_a_person_switched_it(settings):
    book = MemoryGuardBook(acme=GuardState(enabled=False))
    reading, syncing = build_services(settings, reader=MemoryCatalogue(), book=book), build_sync(settings, book=book)
    assert [syncing.is_enabled(make_source(name)) for name in ("acme", "depot")] == [False, True]
    reading.sources.change("lumen", GuardChange(sets_enabled=True, enabled=False))
    assert not syncing.is_enabled(settings.sources[0])


def test_a_process_without_a_shared_book_has_one_of_its_own(settings):
    syncing = build_sync(settings)
    assert syncing.book.read("acme") == GuardState()
    assert syncing.book.change("acme", lambda state: (GuardState(calls=state.calls + 1), "done")) == "done"
    assert syncing.book.read("acme").calls == 1
    with syncing.book.slot("acme", 1, 0.0):
        assert syncing.book.read("depot") == GuardState()


def test_a_check_needs_nothing_but_the_shops(settings):
    results = build_check().run(settings.sources)
    assert [(result.source.name, result.reachable) for result in results] == [("lumen", True), ("depot", True), ("parts", True)]


def test_the_parts_fit_together(settings):
    syncing = build_sync(settings, writer=(catalogue := MemoryCatalogue()))
    reports = syncing.sync.sync_all(settings.sources)
    assert {report.outcome for report in reports} == {Outcome.OK}
    assert sum(record.products for record in catalogue.head().records.values()) == 56
