from concurrent.futures import ThreadPoolExecutor

import pytest

from main.resources.guards.files import FileGuardBook
from main.service.errors import NotFound, SwitchedMeanwhile
from main.service.model import BreakerMode, Fault, GuardChange, GuardState, Rejected, State, Switch
from main.service.registry import SourceRegistry
from main.service.sources import SourceService
from test.fakes import make_product, make_source, put_snapshot

REJECTED = [Rejected(n, str(n), (Fault("price", "is negative"),), "{}") for n in (1, 2, 3)]


@pytest.fixture
def sources(store, clock, book):
    put_snapshot(store, "acme", [make_product(4)], REJECTED)
    return SourceService(store, SourceRegistry((make_source("depot"), make_source("acme"))), clock, book)


def test_all_sources_come_in_the_order_of_the_settings(sources):
    found = [(status.source.name, status.state, status.record.products) for status in sources.find_all()]
    assert found == [("depot", State.STALE, 0), ("acme", State.FRESH, 1)]


def test_one_source_is_found_by_its_name(sources):
    assert sources.get("acme").record.rejected == 3


def test_rejected_records_come_in_pages(sources):
    assert sources.find_rejected("acme", 2, 2) == (REJECTED[2:], 3)
    assert sources.find_rejected("depot", 1, 2) == ([], 0)


@pytest.mark.parametrize("ask", [lambda service: service.get("nobody"), lambda service: service.find_rejected("nobody", 1, 9)])
def test_a_source_that_is_not_configured_is_not_found(sources, ask):
    with pytest.raises(NotFound, match="There is no source"):
        ask(sources)


def test_the_rejected_records_of_a_product_are_found_by_its_id(sources):
    assert sources.find_notes("acme:2") == [REJECTED[1]]
    assert list(sources.find_notes("acme:4")) == []
    assert list(sources.find_notes("nobody:2")) == []


# guards


def test_a_source_is_told_with_its_guard(sources, book):
    book.states["acme"] = GuardState(calls=3, failures=1, mode=BreakerMode.FORCED_OPEN)
    guard = sources.get("acme").guard
    assert (guard.state, guard.mode, guard.calls, guard.failures) == ("open", "forced_open", 3, 1)
    assert [status.guard.calls for status in sources.find_all()] == [0, 3]


def test_a_source_that_a_person_switched_off_is_disabled_and_comes_back(sources, book):
    off = sources.change("acme", GuardChange(sets_enabled=True, enabled=False))
    assert (off.source.enabled, off.state) == (False, State.DISABLED)
    assert (sources.get("acme").state, sources.get("depot").state) == (State.DISABLED, State.STALE)
    on = sources.change("acme", GuardChange(sets_enabled=True))
    assert (on.source.enabled, on.state, book.read("acme").enabled) == (True, State.FRESH, None)


def test_a_breaker_is_set_by_hand(sources, book):
    book.states["acme"] = GuardState(failures_in_row=5, open_until=9e9, opened_at=1)
    changed = sources.change("acme", GuardChange(mode=BreakerMode.CLOSED))
    assert (changed.guard.state, changed.guard.mode, changed.guard.failures_in_row) == ("closed", "closed", 0)
    assert book.read("acme") == GuardState(mode=BreakerMode.CLOSED)


def test_a_switch_is_set_only_as_it_was_seen(sources, book):
    seen = sources.get("acme").switch
    assert (seen, seen.tag) == (Switch(BreakerMode.AUTO, enabled=True), "auto-on")
    sources.change("acme", GuardChange(mode=BreakerMode.FORCED_OPEN), {seen.tag})
    with pytest.raises(SwitchedMeanwhile, match="breaker is forced_open and enabled true now"):
        sources.change("acme", GuardChange(sets_enabled=True, enabled=False), {seen.tag})
    assert book.read("acme") == GuardState(mode=BreakerMode.FORCED_OPEN)
    sources.change("acme", GuardChange(sets_enabled=True, enabled=False), {seen.tag, "forced_open-on"})
    with pytest.raises(SwitchedMeanwhile, match="enabled false"):
        sources.change("acme", GuardChange(mode=BreakerMode.AUTO), ())


def test_of_many_who_have_seen_the_same_switch_one_sets_it(store, clock, tmp_path):
    shops = SourceRegistry((make_source("acme"),))
    racing = [SourceService(store, shops, clock, FileGuardBook(tmp_path / "guards")) for _ in range(4)]
    modes = [BreakerMode.FORCED_OPEN, BreakerMode.CLOSED] * 2

    def switch(service, mode):
        try:
            service.change("acme", GuardChange(mode=mode), {"auto-on"})
        except SwitchedMeanwhile:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(switch, racing, modes)) == 1


def test_the_guard_of_a_source_that_is_not_configured_is_left_alone(sources, book):
    with pytest.raises(NotFound):
        sources.change("nobody", GuardChange(mode=BreakerMode.CLOSED))
    assert book.states == {}
