import pytest
from structlog.testing import capture_logs

from main.service.errors import StoreDown
from main.service.lifecycle import Component, ComponentState, Lifecycle
from test.fakes import FakeResource

TEXT = "The store does not answer."


def make(journal, *, store=(), cache=(), tasks=()):
    fails = {"store": set(store), "cache": set(cache), "tasks": set(tasks)}
    return Lifecycle([Component(name, "fake", FakeResource(name, journal, fails=fails[name])) for name in fails])


def test_components_open_in_order_and_close_in_reverse():
    journal = []
    lifecycle = make(journal)
    lifecycle.open()
    lifecycle.close()
    opened = ["open store", "open cache", "open tasks"]
    assert journal == [*opened, "close tasks", "close cache", "close store"]


def test_closing_twice_closes_once():
    journal = []
    lifecycle = make(journal)
    lifecycle.open()
    lifecycle.close()
    lifecycle.close()
    assert journal.count("close store") == 1


def test_nothing_is_closed_that_was_never_opened():
    journal = []
    make(journal).close()
    assert journal == []


def test_a_component_that_cannot_open_closes_those_that_did():
    journal = []
    with pytest.raises(StoreDown):
        make(journal, cache=["open"]).open()
    assert journal == ["open store", "open cache", "close store"]


def test_every_component_is_pinged_and_says_what_is_wrong():
    states = make([], cache=["ping"]).ping()
    assert states == [
        ComponentState("store", "fake", up=True, error=None),
        ComponentState("cache", "fake", up=False, error=TEXT),
        ComponentState("tasks", "fake", up=True, error=None),
    ]


def test_a_component_that_is_not_essential_and_cannot_open_stops_nothing_and_is_closed_with_the_others():
    journal = []
    store = Component("store", "fake", FakeResource("store", journal))
    cache = Component("cache", "fake", FakeResource("cache", journal, fails={"open", "ping"}), essential=False)
    lifecycle = Lifecycle([cache, store])
    with capture_logs() as logs:
        lifecycle.open()
    assert [(line["event"], line["name"]) for line in logs] == [
        ("component.open_failed", "cache"),
        ("component.opened", "store"),
    ]
    assert lifecycle.ping()[0] == ComponentState("cache", "fake", up=False, error=TEXT, essential=False)
    lifecycle.close()
    assert journal[-2:] == ["close store", "close cache"]
