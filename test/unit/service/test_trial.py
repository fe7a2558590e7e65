import time

import pytest

from main.controller.documents import dump_product
from main.service.errors import AisleError, CrawlIncomplete, UpstreamTimeout
from main.service.model import Fault, Remark
from main.service.ports.upstream import CrawlPage
from main.service.trial import TrialService, Tried
from test.fakes import FakeConnector, make_source, raw_record

GOOD, BAD = raw_record(1), raw_record(2, fault="is negative")


def run(pages, **asked):
    connector = FakeConnector(pages)
    try:
        return TrialService(lambda _: connector, dump_product).run(make_source(), **asked)
    finally:
        assert connector.closed == 1


def test_each_record_is_shown_with_its_product_or_its_faults():
    good, bad = run({None: CrawlPage((GOOD, BAD))}).trials
    assert (good.raw, good.faults, b'"acme:1"' in good.document) == (GOOD, (), True)
    assert (bad.raw, bad.document, bad.faults) == (BAD, None, (Fault("price", "is negative"),))


def test_only_the_first_few_are_shown():
    assert len(run({None: CrawlPage((GOOD,) * 9)}).trials) == 3
    assert len(run({None: CrawlPage((GOOD,) * 9)}, limit=5).trials) == 5


NO_SKU, NO_TAG, ODD = (
    ("sku", "`sku` finds nothing", False),
    ("tags", "`tags` finds nothing", False),
    ("url", "found '/a'", True),
)


def test_what_a_product_lacks_is_told_beside_it_and_what_none_has_once():
    records = raw_record(1, left_out=[NO_SKU, ODD, NO_TAG]), BAD, raw_record(3, left_out=[NO_TAG])
    tried = run({None: CrawlPage(records, hints=("no header X-Nxt",))})
    assert [trial.remarks for trial in tried.trials] == [(Remark(*ODD),), (), ()]
    assert tried.hints == ("no header X-Nxt", "tags: `tags` finds nothing in any record shown")


def test_of_records_that_are_no_products_nothing_is_said_to_lack():
    assert run({None: CrawlPage((BAD,))}).hints == ()


def test_what_may_be_wrong_with_the_settings_is_told():
    assert run({None: CrawlPage((GOOD,), hints=("no header X-Nxt",))}).hints == ("no header X-Nxt",)


def test_a_later_page_is_reached_by_the_calls_that_lead_to_it():
    pages = {None: CrawlPage((), upcoming=(2, 3)), 2: CrawlPage((), upcoming=(3,)), 3: CrawlPage((BAD,))}
    assert [trial.raw for trial in run(pages, page=3).trials] == [BAD]


def test_a_page_past_the_end_is_named():
    with pytest.raises(CrawlIncomplete, match="ends after page 1"):
        run({None: CrawlPage((GOOD,))}, page=2)


def test_a_shop_that_does_not_answer_is_told_and_closed():
    with pytest.raises(UpstreamTimeout):
        run({None: UpstreamTimeout("too slow")})


class LookedAt(FakeConnector):
    look_size = 1

    def look(self, wanted, deadline):
        (one,) = wanted
        assert deadline > time.monotonic()
        assert one.url == "https://acme.example/1"
        return {} if one.source_id == "9" else {one.source_id: BAD if one.source_id == "2" else GOOD}


def look_at(source_id, connector):
    try:
        return TrialService(lambda _: connector, dump_product).look(make_source(), source_id, "https://acme.example/1")
    finally:
        assert connector.closed == 1


def test_one_product_is_shown_as_a_live_look_gets_it():
    (good,), (bad,) = look_at("1", LookedAt({})).trials, look_at("2", LookedAt({})).trials
    assert (good.raw, good.faults, b'"acme:1"' in good.document) == (GOOD, (), True)
    assert (bad.document, bad.faults) == (None, (Fault("price", "is negative"),))
    assert look_at("9", LookedAt({})) == Tried()


def test_a_source_that_cannot_be_asked_for_single_products_is_named():
    connector = LookedAt({})
    connector.look_size = 0
    with pytest.raises(AisleError, match="acme cannot be asked for single products"):
        look_at("1", connector)
