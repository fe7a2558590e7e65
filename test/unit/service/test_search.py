import threading

import pytest

from main.service.errors import Gone, InvalidQuery, NotFound, NothingYet, StoreDown
from main.service.model import Query, State
from main.service.registry import SourceRegistry
from main.service.search import SearchService
from test.fakes import MemoryGuardBook, ids_of, make_product, make_source, put_snapshot

SOURCES = (make_source("acme"), make_source("depot"))


@pytest.fixture
def search(store, clock):
    put_snapshot(store, "acme", [make_product(1), make_product(2)])
    return SearchService(store, SourceRegistry(SOURCES), clock, MemoryGuardBook(), cached_pages=2)


def test_a_page_has_its_documents_its_total_and_the_head_it_was_read_at(search):
    page = search.find(Query(per_page=1), search.head())
    assert (ids_of(page.hits.documents), page.hits.total, page.pages, page.head.version) == (["acme:1"], 2, 2, 1)


def test_the_same_question_is_answered_from_memory(search, store):
    first = search.find(Query(), search.head())
    second = search.find(Query(), search.head())
    assert (store.reads, second.hits) == (1, first.hits)


def test_a_new_version_is_read_anew(search, store):
    search.find(Query(), search.head())
    put_snapshot(store, "acme", [make_product(n) for n in range(3)])
    assert search.find(Query(), search.head()).hits.total == 3
    assert store.reads == 2


def test_a_page_read_after_the_version_moved_is_remembered_under_the_version_it_is_of(search, store):
    old = search.head()
    put_snapshot(store, "acme", [make_product(9)])
    page = search.find(Query(), old)
    assert page.head.version == 2
    assert search.find(Query(), search.head()).hits == page.hits
    assert store.reads == 1


def test_old_pages_make_room_for_new_ones(search, store):
    for number in (1, 2, 3, 1):
        search.find(Query(page=number), search.head())
    assert store.reads == 4


def test_nothing_is_remembered_where_the_settings_say_so(search, store, clock):
    forgetful = SearchService(store, SourceRegistry(SOURCES), clock, MemoryGuardBook(), cached_pages=0)
    for _ in range(2):
        forgetful.find(Query(), forgetful.head())
    assert store.reads == 2


def test_many_threads_may_ask_at_once(search):
    head, totals = search.head(), []
    threads = [
        threading.Thread(target=lambda n=n: totals.append(search.find(Query(page=n % 5 + 1), head).hits.total))
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [2] * 40


def test_without_any_snapshot_there_is_nothing_yet_and_it_says_how_each_source_stands(store, clock):
    search = SearchService(store, SourceRegistry(SOURCES), clock, MemoryGuardBook(), cached_pages=2)
    store.schedule("acme", clock.now())
    with pytest.raises(NothingYet) as caught:
        search.head()
    assert [(status.source.name, status.state) for status in caught.value.statuses] == [
        ("acme", State.STALE),
        ("depot", State.STALE),
    ]
    assert caught.value.retry_after == 5


def test_one_snapshot_is_enough_even_an_empty_one(store, clock):
    put_snapshot(store, "acme", [])
    assert SearchService(store, SourceRegistry(SOURCES), clock, MemoryGuardBook(), cached_pages=2).head().version == 0


def test_a_query_may_name_configured_sources_only(search):
    search.check(source=("acme", "depot"), require=())
    with pytest.raises(InvalidQuery) as caught:
        search.check(source=("acme", "nobody"), require=("depot",))
    assert caught.value.errors == {"source": ["is not one of: acme, depot"]}


def test_one_product_is_found_by_its_id(search):
    assert ids_of([search.get("acme:1")]) == ["acme:1"]


def test_a_product_that_is_not_there_is_not_found(search):
    with pytest.raises(NotFound) as caught:
        search.get("acme:404")
    assert (caught.value.what, caught.value.name) == ("product", "acme:404")


def test_a_product_that_has_left_says_when(search, store, clock):
    store.retain(["depot"], clock.now())
    with pytest.raises(Gone) as caught:
        search.get("acme:1")
    assert caught.value.tombstone == store.tombstone("acme:1")
    assert str(caught.value) == f"This product left the catalogue at {clock.now():%Y-%m-%d %H:%M:%S} UTC."


def test_a_store_that_is_down_is_said_to_be(search, store):
    store.down = True
    with pytest.raises(StoreDown):
        search.head()
