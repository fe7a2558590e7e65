import orjson
import pytest

from main.controller.documents import dump_product
from main.service import crawl as crawl_module
from main.service.crawl import Crawl, Tally
from main.service.errors import CrawlIncomplete, UpstreamTimeout
from main.service.model import Fault
from main.service.ports.upstream import CrawlPage
from test.fakes import FakeConnector, ids_of, make_report, make_source, raw_record

CONNECTOR = FakeConnector({})


@pytest.fixture
def staging(store):
    with store.stage("acme") as staging:
        yield staging


def crawl(staging, *pages, connector=CONNECTOR, dump=dump_product, on_page=lambda _: None, **settings):
    return Crawl(make_source(**settings), connector, staging, dump).run(pages, on_page)


def commit(store, staging):
    store.leases["acme"] = ("one", None)
    return staging.commit(make_report(), (), "one")


def ids(store):
    return sorted(ids_of(row.document for row in store.rows.values()))


def test_pages_of_good_records_become_staged_products(store, staging):
    tally = crawl(staging, CrawlPage((raw_record(1), raw_record(2)), total=3), CrawlPage((raw_record(3),), total=3))
    assert (tally.pages, tally.received, tally.total, tally.rejected_count) == (2, 3, 3, 0)
    assert commit(store, staging).created == 3
    assert ids(store) == ["acme:1", "acme:2", "acme:3"]


def test_every_page_is_reported_as_it_comes(staging):
    seen = []
    pages = (CrawlPage((raw_record(1),), total=2), CrawlPage((raw_record(2),)))
    crawl(staging, *pages, on_page=lambda tally: seen.append((tally.pages, tally.received, tally.total)))
    assert seen == [(1, 1, 2), (2, 2, 2)]


def test_a_rejected_record_goes_to_quarantine_and_its_neighbours_go_through(store, staging):
    bad = raw_record(2, fault="is negative")
    tally = crawl(staging, CrawlPage((raw_record(1), bad, raw_record(3))))
    (rejected,) = tally.rejected
    assert (rejected.position, rejected.record_id, rejected.faults) == (2, "2", (Fault("price", "is negative"),))
    assert rejected.raw.encode() == bad
    commit(store, staging)
    assert ids(store) == ["acme:1", "acme:3"]


def test_a_position_counts_over_all_pages(staging):
    tally = crawl(staging, CrawlPage((raw_record(1), raw_record(2))), CrawlPage((raw_record(3), raw_record(4, fault="no"))))
    assert [rejected.position for rejected in tally.rejected] == [4]


def test_a_record_that_breaks_the_mapping_harms_only_itself(store, staging):
    tally = crawl(staging, CrawlPage((raw_record(1), raw_record(2, crash="x"), b"\xff not json", raw_record(3))))
    reasons = [rejected.faults[0].reason for rejected in tally.rejected]
    assert reasons == ["could not be mapped (ZeroDivisionError)", "could not be mapped (JSONDecodeError)"]
    assert tally.rejected[1].raw == "\ufffd not json"
    commit(store, staging)
    assert ids(store) == ["acme:1", "acme:3"]


def test_a_product_that_cannot_be_written_down_harms_only_itself(store, staging):
    def dump(product):
        return orjson.dumps(product.name + "\ud800") if product.source_id == "2" else dump_product(product)

    tally = crawl(staging, CrawlPage((raw_record(1), raw_record(2), raw_record(3))), dump=dump)
    assert tally.rejected_count == 1
    commit(store, staging)
    assert ids(store) == ["acme:1", "acme:3"]


def test_an_id_that_two_records_use_stays_with_the_first(store, staging):
    tally = crawl(staging, CrawlPage((raw_record(1, "first"), raw_record(1, "second"))))
    assert tally.rejected[0].faults == (Fault("id", "is already used by another record of this shop"),)
    commit(store, staging)
    assert [row.product.name for row in store.rows.values()] == ["first"]


def test_a_record_that_comes_twice_counts_as_one_product(staging):
    tally = crawl(staging, CrawlPage((raw_record(1), raw_record(2))), CrawlPage((raw_record(2), raw_record(3))))
    assert (tally.received, tally.rejected_count, staging.counts()) == (4, 0, (0, 3))


def test_records_that_are_known_are_kept_and_not_mapped_again(store, staging):
    records = (raw_record(1), raw_record(2))
    crawl(staging, CrawlPage(records))
    commit(store, staging)
    with store.stage("acme") as second:
        crawl(second, CrawlPage(records), connector=Unmappable({}))
        done = commit(store, second)
    assert (done.created, done.updated, done.deleted, done.version) == (0, 0, 0, 1)


class Unmappable(FakeConnector):
    def load(self, raw):
        raise AssertionError(raw)


def test_known_records_are_mapped_again_when_the_mapping_has_changed(store, staging):
    crawl(staging, CrawlPage((raw_record(1),)))
    commit(store, staging)
    with store.stage("acme") as second:
        crawl(second, CrawlPage((raw_record(1),)), connector=FakeConnector({}, fingerprint=b"2"))
        assert commit(store, second).updated == 1


def test_a_known_record_does_not_take_back_an_id_that_a_changed_one_has(store, staging):
    crawl(staging, CrawlPage((raw_record(1, "old"),)))
    commit(store, staging)
    with store.stage("acme") as second:
        tally = crawl(second, CrawlPage((raw_record(1, "new"), raw_record(1, "old"))))
        assert tally.rejected_count == 1
        commit(store, second)
    assert [row.product.name for row in store.rows.values()] == ["new"]


def test_a_page_that_only_repeats_ends_the_crawl(staging):
    page = CrawlPage((raw_record(1), raw_record(2)))
    with pytest.raises(CrawlIncomplete, match="repeats itself: its page 2"):
        crawl(staging, page, page)


def test_an_empty_page_repeats_nothing(staging):
    assert crawl(staging, CrawlPage(()), CrawlPage(())).pages == 2


def test_as_many_empty_pages_as_can_lie_past_the_end_of_a_list_are_no_fault(staging):
    assert crawl(staging, *[CrawlPage(())] * 100, CrawlPage((raw_record(1),)), *[CrawlPage(())] * 100).pages == 201


def test_empty_pages_without_end_are_cut_off(staging):
    with pytest.raises(CrawlIncomplete, match="more than 100 empty pages in a row: its list seems to have no end"):
        crawl(staging, *[CrawlPage(())] * 101)


def test_empty_pages_between_others_are_cut_off_too(staging):
    pages = [page for n in range(3) for page in (CrawlPage((raw_record(n),)), *[CrawlPage(())] * 40)]
    assert crawl(staging, *pages, max_products=20).pages == 123
    with pytest.raises(CrawlIncomplete, match="gave 120 empty pages, more than max_products allows products"):
        crawl(staging, *pages, max_products=19)


def test_a_page_whose_records_come_later_is_not_empty(staging):
    assert crawl(staging, *[CrawlPage((), held=1)] * 150, max_products=1).pages == 150


def test_a_shop_without_end_is_cut_off_at_its_limit(staging):
    endless = (CrawlPage((raw_record(n),)) for n in range(10**9))
    with pytest.raises(CrawlIncomplete, match="more than the 5 products"):
        crawl(staging, *(page for _, page in zip(range(50), endless, strict=False)), max_products=5)


def test_exactly_the_limit_is_allowed(staging):
    assert crawl(staging, CrawlPage(tuple(map(raw_record, range(5)))), max_products=5).received == 5


def test_fewer_records_than_the_shop_says_it_has_is_no_whole_crawl(staging):
    with pytest.raises(CrawlIncomplete, match="says it has 3 products, but gave 2"):
        crawl(staging, CrawlPage((raw_record(1),), total=3), CrawlPage((raw_record(2),), total=3))


def test_a_shop_may_lose_products_while_it_is_crawled(staging):
    assert crawl(staging, CrawlPage((raw_record(1),), total=2), CrawlPage((), total=1)).total == 1


def test_an_error_of_the_shop_passes_through(staging):
    def pages():
        yield CrawlPage((raw_record(1),))
        raise UpstreamTimeout("too slow")

    with pytest.raises(UpstreamTimeout):
        Crawl(make_source(), CONNECTOR, staging, dump_product).run(pages(), lambda _: None)


def test_the_quarantine_keeps_the_first_and_counts_all(staging, monkeypatch):
    monkeypatch.setattr(crawl_module, "_QUARANTINE_LIMIT", 3)
    tally = crawl(staging, CrawlPage(tuple(raw_record(n, fault="no") for n in range(10))))
    assert (tally.rejected_count, [rejected.position for rejected in tally.rejected]) == (10, [1, 2, 3])


def test_a_huge_rejected_record_is_shortened(staging):
    tally = crawl(staging, CrawlPage((raw_record(1, "x" * 50_000, fault="no"),)))
    assert len(tally.rejected[0].raw) == 8000
    assert tally.rejected[0].raw.endswith("…")


def test_a_new_tally_has_counted_nothing():
    assert Tally() == Tally(pages=0, received=0, total=None, rejected_count=0, rejected=[])
