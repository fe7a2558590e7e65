import pytest

from main.service.errors import NotFound
from main.service.model import Fault, Rejected, State
from main.service.registry import SourceRegistry
from main.service.sources import SourceService
from test.fakes import make_product, make_source, put_snapshot

REJECTED = [Rejected(n, str(n), (Fault("price", "is negative"),), "{}") for n in (1, 2, 3)]


@pytest.fixture
def sources(store, clock):
    put_snapshot(store, "acme", [make_product(4)], REJECTED)
    return SourceService(store, SourceRegistry((make_source("depot"), make_source("acme"))), clock)


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
