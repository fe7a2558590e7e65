import pytest

from main.controller.documents import dump_product
from main.service.check import CheckService
from main.service.errors import (
    NoAccessToken,
    UpstreamGarbled,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
    UpstreamUnsendable,
)
from main.service.model import ItemCall
from main.service.ports.upstream import CrawlPage
from test.fakes import FakeConnector, FakeShop, make_source, raw_record

GOOD, BAD, WORSE = raw_record(1), raw_record(2, fault="is negative"), raw_record(3, fault="is missing")


def check(answer):
    connector = FakeConnector({None: answer})
    result = CheckService(lambda _: connector, dump_product).try_source(make_source())
    assert (connector.asked, connector.closed) == ([None], 1)
    return result


def test_a_good_source_is_reachable_and_its_products_are_counted():
    result = check(CrawlPage((GOOD,), upcoming=(1,), total=20))
    assert (result.reachable, result.products, result.rejected, result.total) == (True, 1, 0, 20)
    assert (result.usable, result.fault, result.note) == (True, None, None)


def test_what_may_be_wrong_with_the_settings_is_told_and_no_fault():
    result = check(CrawlPage((GOOD,), hints=("no header X-Nxt",)))
    assert (result.fault, result.hints) == (None, ("no header X-Nxt",))


def test_a_source_with_a_bad_record_can_be_used_and_the_record_is_noted():
    result = check(CrawlPage((GOOD, BAD, WORSE)))
    assert (result.products, result.rejected, result.fault) == (1, 2, None)
    assert result.note == "record 2: price: is negative"


def test_a_source_of_bad_records_only_cannot_be_used():
    result = check(CrawlPage((BAD, WORSE)))
    assert (result.reachable, result.usable, result.products) == (True, False, 0)
    assert result.fault == "Not one of its records is a valid product: record 2: price: is negative"


class TestItem:
    """A source whose settings describe the call for single products has its first product asked for."""

    def check(self, shop, *records):
        shop.answers = {None: CrawlPage(records, hints=("no header X-Nxt",))}
        result = CheckService(lambda _: shop, dump_product).try_source(make_source(item=ItemCall(path="/items/{id}")))
        assert (result.fault, result.hints[0], shop.closed) == (None, "no header X-Nxt", 1)
        return result.hints[1:]

    def test_a_product_that_is_given_needs_no_word(self):
        shop = FakeShop(_1=1999)
        assert self.check(shop, BAD, GOOD) == ()
        assert shop.looked == [("1",)]

    def test_a_product_that_is_said_not_to_be_there_is_told(self):
        (hint,) = self.check(FakeShop(_2=1999), GOOD)
        assert hint == "item: asked for 1, which its list has, the shop says that there is no such product"

    def test_an_answer_that_cannot_be_used_is_told(self):
        shop = FakeShop()
        shop.trouble = UpstreamGarbled("The answer has no product (looked for data.artcle).")
        (hint,) = self.check(shop, GOOD)
        assert hint == "item: asked for 1, which its list has: The answer has no product (looked for data.artcle)"

    def test_a_record_that_is_no_product_there_is_told(self):
        shop = FakeShop()
        shop.stock = {"1": raw_record(1, fault="is missing")}
        assert self.check(shop, GOOD) == ("item: asked for 1, which its list has: price: is missing",)

    def test_without_a_product_nothing_is_asked(self):
        shop = FakeShop()
        assert self.check(shop) == ()
        assert shop.looked == []


def test_an_empty_source_can_be_used():
    result = check(CrawlPage(()))
    assert (result.reachable, result.products, result.fault) == (True, 0, None)


@pytest.mark.parametrize(
    ("answer", "reachable"),
    [
        (UpstreamTimeout("why"), False),
        (UpstreamUnreachable("why"), False),
        (UpstreamRefused("why", 401), True),
        (UpstreamGarbled("why"), True),
        (lambda: CrawlPage(broken_off(UpstreamGarbled("why"))), True),
        (lambda: CrawlPage(broken_off(UpstreamTimeout("why"))), True),
        (NoAccessToken("why", 401), None),
        (UpstreamUnsendable("why"), None),
    ],
)
def test_a_source_that_cannot_be_read_says_why_and_whether_its_shop_answered(answer, reachable):
    result = check(answer)
    assert (result.reachable, result.usable, result.fault) == (reachable, False, "why")


def broken_off(error):
    yield GOOD
    raise error


def test_all_sources_are_tried_and_come_back_in_order():
    answers = {"acme": UpstreamTimeout("too slow"), "depot": CrawlPage((GOOD,))}
    service = CheckService(lambda source: FakeConnector({None: answers[source.name]}, source=source.name), dump_product)
    results = service.run([make_source("depot"), make_source("acme")])
    assert [(result.source.name, result.reachable) for result in results] == [("depot", True), ("acme", False)]
