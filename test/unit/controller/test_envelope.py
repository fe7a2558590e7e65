from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from main.controller.envelope import encode_page, encode_sources, is_complete
from main.controller.views import View
from main.service import freshness
from main.service.model import Bucket, Head, Hits, Outcome, Page, PriceBucket, Query, SourceRecord, SourceStatus
from test.fakes import NOW, make_source

DOCUMENT = b'{"id":"a:1","name":"Lamp","price":{"amount":"1.00","currency":"EUR"}}'
UNIT = 10_000


def status_of(name: str = "acme", *, enabled: bool = True, **record: object) -> SourceStatus:
    return freshness.decide(make_source(name, enabled=enabled), SourceRecord(name=name, **record), NOW)


def synced(name: str, **more: object) -> SourceStatus:
    return status_of(name, synced_at=NOW, products=2, outcome=Outcome.OK, **more)


def page_of(query: Query, total: int, facets: dict[str, tuple] | None = None, *documents: bytes) -> dict:
    page = Page(Head(12, {}), query, Hits(documents, total, facets or {}))
    return orjson.loads(encode_page(page, encode_sources([synced("acme")]), View(query.fields)))


def test_stored_documents_are_put_into_the_envelope_as_they_are():
    page = Page(Head(12, {}), Query(), Hits((DOCUMENT, DOCUMENT), 61, {}))
    body = encode_page(page, encode_sources([synced("acme")]), View())
    assert b'{"data":[' + DOCUMENT + b"," + DOCUMENT + b"]," in body
    assert orjson.loads(body) | {"data": []} == {
        "data": [],
        "page": 1,
        "per_page": 30,
        "total": 61,
        "pages": 3,
        "facets": {},
        "meta": {
            "version": 12,
            "complete": True,
            "sources": {"acme": {"state": "fresh", "synced_at": "2026-03-01T12:00:00.000Z", "products": 2, "rejected": 0}},
        },
    }


def test_nothing_found_is_an_empty_list_of_no_pages():
    assert {key: page_of(Query(), 0)[key] for key in ("data", "total", "pages")} == {"data": [], "total": 0, "pages": 0}


def test_a_page_shows_what_the_caller_sees():
    assert page_of(Query(fields=("id",)), 1, None, DOCUMENT)["data"] == [{"id": "a:1"}]


def test_facets_are_values_with_counts_and_price_bands_in_words():
    facets = {
        "brand": (Bucket("Halden", 3),),
        "price": (PriceBucket("EUR", 10 * UNIT, 25 * UNIT, 2), PriceBucket("EUR", 10_000 * UNIT, None, 1)),
    }
    assert page_of(Query(), 3, facets)["facets"] == {
        "brand": [{"value": "Halden", "count": 3}],
        "price": [
            {"value": "10-25 EUR", "currency": "EUR", "min": "10", "count": 2, "below": "25"},
            {"value": "10000+ EUR", "currency": "EUR", "min": "10000", "count": 1},
        ],
    }


@pytest.mark.parametrize(
    ("statuses", "complete"),
    [
        ([], True),
        ([synced("a")], True),
        ([synced("a"), status_of("b")], False),
        ([synced("a"), status_of("b", enabled=False)], True),
        ([synced("a"), status_of("b", synced_at=NOW, outcome=Outcome.FAILED)], False),
    ],
    ids=["none", "all", "one-without-snapshot", "one-disabled", "one-failed"],
)
def test_a_list_is_complete_when_every_enabled_source_has_a_current_snapshot(statuses: list[SourceStatus], *, complete: bool):
    assert is_complete(statuses) is complete
    assert orjson.loads(b"{" + encode_sources(statuses) + b"}")["complete"] is complete


def test_the_same_picture_of_the_sources_is_encoded_once():
    first = encode_sources([synced("acme", duration_ms=1)])
    assert encode_sources([synced("acme", duration_ms=2)]) is first
    assert encode_sources([synced("acme", rejected=1)]) != first
    assert encode_sources([]) == b'"complete":true,"sources":{}'


@pytest.fixture
def restless():
    """Threads that give way to each other all the time."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless")
def test_many_threads_may_meet_while_the_picture_changes_and_old_ones_are_forgotten():
    def show(products: int) -> bool:
        shown = orjson.loads(b"{%b}" % encode_sources([status_of("acme", products=products)]))
        return shown["sources"]["acme"]["products"] == products

    with ThreadPoolExecutor(8) as threads:
        # More than are remembered, each soon asked for by another thread: they are found, kept and dropped all at once.
        assert all(threads.map(show, (number % 90 for number in range(4000))))
