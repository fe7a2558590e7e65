from main.service.registry import SourceRegistry
from test.fakes import make_source


def test_sources_are_given_in_their_order_and_by_name():
    depot, acme = make_source("depot"), make_source("acme")
    registry = SourceRegistry([depot, acme])
    assert registry.all() == (depot, acme)
    assert registry.get("acme") is acme
    assert registry.get("nope") is None


def test_sources_are_replaced_all_at_once_and_what_was_given_before_stays_as_it_was():
    registry = SourceRegistry([make_source("depot")])
    before = registry.all()
    registry.replace(make_source(name) for name in ("acme", "lumen"))
    assert [source.name for source in registry.all()] == ["acme", "lumen"]
    assert [source.name for source in before] == ["depot"]
    assert registry.get("depot") is None


def test_a_source_that_is_as_it_was_stays_the_same_object():
    depot, acme = make_source("depot"), make_source("acme")
    registry = SourceRegistry([depot, acme])
    changed = make_source("acme", concurrency=9)
    registry.replace([changed, make_source("depot")])
    assert registry.all()[0] is changed
    assert registry.all()[1] is depot


def test_there_may_be_none():
    assert SourceRegistry().all() == ()
