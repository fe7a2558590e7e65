from datetime import timedelta

import pytest

from main.service.lifecycle import Component, Lifecycle
from main.service.model import Outcome, Platform
from main.service.registry import SourceRegistry
from main.service.sources import SourceService
from main.service.status import Identity, StatusService
from main.util.metrics import COUNTERS, TIMINGS
from test.fakes import NOW, FakeResource, MemoryGuardBook, make_product, make_report, make_source, put_snapshot

IDENTITY = Identity("aisle", "Aisle", "All our shops", "1.0")
SOURCES = (make_source("acme"), make_source("depot"), make_source("off", enabled=False))


@pytest.fixture
def status(store, clock):
    lifecycle = Lifecycle([Component("catalogue", "memory", store)])
    return StatusService(
        IDENTITY,
        Platform(tenant="t1"),
        lifecycle,
        SourceService(store, SourceRegistry(SOURCES), clock, MemoryGuardBook()),
        clock,
    )


def test_the_whole_picture_has_identity_times_components_and_timings(status, clock):
    TIMINGS.record("test.status", 5.0)
    COUNTERS.add("test.status", 3)
    clock.advance(86.4)
    found = status.describe()
    assert (found.identity, found.start_time, found.uptime_s) == (IDENTITY, NOW, 86.4)
    assert found.current_time == status.now() == NOW + timedelta(seconds=86.4)
    assert [component.up for component in found.components] == [True]
    assert found.timings["test.status"].max_ms >= 5.0
    assert found.counters["test.status"] == 3
    assert status.platform.tenant == "t1"


def test_it_is_not_ready_before_every_enabled_source_had_its_first_try(status, store):
    assert (status.check_ready().ready, status.check_ready().waiting) == (False, ["acme", "depot"])
    put_snapshot(store, "acme", [make_product(1)])
    assert status.check_ready().waiting == ["depot"]


def test_it_is_ready_when_a_source_failed_its_first_try(status, store):
    put_snapshot(store, "acme", [make_product(1)])
    store.record(make_report("depot", Outcome.FAILED, error_type="UpstreamTimeout", error="too slow"))
    found = status.check_ready()
    assert (found.ready, found.waiting) == (True, [])


def test_it_is_not_ready_when_a_component_is_down(status, store):
    store.down = True
    found = status.check_ready()
    assert (found.ready, found.waiting, [component.up for component in found.components]) == (False, [], [False])


def test_a_component_that_is_not_essential_is_listed_as_down_and_stands_in_nobodys_way(store, clock):
    cache = Component("cache", "fake", FakeResource("cache", [], fails={"ping"}), essential=False)
    lifecycle = Lifecycle([Component("catalogue", "memory", store), cache])
    status = StatusService(
        IDENTITY, Platform(), lifecycle, SourceService(store, SourceRegistry(), clock, MemoryGuardBook()), clock
    )
    found = status.check_ready()
    assert (found.ready, [component.up for component in found.components]) == (True, [True, False])
    store.down = True
    assert not status.check_ready().ready
