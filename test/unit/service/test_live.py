import threading
import time
from datetime import timedelta

import orjson
import pytest

from main.service.errors import NotFound, UpstreamRefused
from main.service.fanout import Lanes
from main.service.leases import Leases
from main.service.live import Listed, LiveService
from main.service.looks import LookTools
from main.service.model import LiveRules, LookState, Wanted
from main.service.registry import SourceRegistry
from test.fakes import FakeCache, FakeClock, FakeShop, MemoryGuardBook, make_source

PATIENCE = 20


class Market:
    """A live service over several shops."""

    def __init__(self, *shops):
        self.shops = {shop._source: shop for shop in shops}
        self.registry = SourceRegistry([make_source(name) for name in self.shops])
        self.clock, self.guards, self.connected = FakeClock(), MemoryGuardBook(), []
        cache = FakeCache(self.clock)
        rules = LiveRules(max_deadline=timedelta(seconds=2))
        self.tools = LookTools(cache, Leases(cache), self.guards, Lanes(), self.clock, rules, self.dump)
        self.live = LiveService(self.registry, self.connect, self.tools)

    def connect(self, source):
        self.connected.append(source.name)
        return self.shops[source.name]

    @staticmethod
    def dump(product):
        return orjson.dumps({"price": product.price.minor})

    def confirm(self, *ids, seconds=PATIENCE):
        listed = [Listed(one.partition(":")[0], Wanted(one.partition(":")[2])) for one in ids]
        return self.live.confirm(listed, seconds)


@pytest.fixture
def market():
    opened = []

    def open_market(*shops):
        opened.append(Market(*shops))
        opened[-1].live.open()
        opened[-1].live.ping()
        return opened[-1]

    yield open_market
    for each in opened:
        each.live.close()


def test_a_source_without_looks_is_as_good_as_its_last_sync(market):
    fair = market(FakeShop(size=0, source="feed"), FakeShop(size=0, source="old"))
    listed = [Listed("feed", Wanted("1")), Listed("old", Wanted("1"))]
    assert [look.state for look in fair.live.confirm(listed, 0, {"feed"})] == [LookState.CACHED, LookState.STALE]


def test_all_shops_are_asked_at_once_and_answers_stand_in_the_order_asked(market):
    together = threading.Barrier(3)
    shops = [FakeShop(name, _1=price) for name, price in (("a", 1), ("b", 2), ("c", 3))]
    for shop in shops:
        shop.trouble = lambda _: together.wait(PATIENCE) and None  # passes only when all three are asked at once
    looks = market(*shops).confirm("b:1", "c:1", "a:1")
    assert [orjson.loads(look.figures)["price"] for look in looks] == [2, 3, 1]


def test_a_shop_that_fails_or_hangs_takes_nothing_from_the_others(market):
    good, bad, stuck, hang = FakeShop("good", _1=1), FakeShop("bad"), FakeShop("stuck", _1=1), threading.Event()
    bad.trouble, stuck.trouble = UpstreamRefused("The shop answered 500.", 500), lambda _: hang.wait(PATIENCE) and None
    looks = market(good, bad, stuck).confirm("good:1", "bad:1", "stuck:1", "gone:1", seconds=1)
    hang.set()
    assert [look.state for look in looks] == [LookState.LIVE, LookState.ERROR, LookState.TIMEOUT, LookState.ERROR]
    assert looks[3].reason == "This source is no longer configured."
    assert [(look.confirmed, look.answered) for look in looks[:2]] == [(True, True), (False, False)]


@pytest.mark.parametrize(("wished", "seconds"), [(None, 0.8), (100, 0.1), (2000, 2.0), (60_000, 2.0)])
def test_the_caller_chooses_the_deadline_up_to_what_the_settings_allow(market, wished, seconds):
    assert market().live.choose_deadline(wished) == seconds
    assert market().live.fresh_s == 5


def test_a_connector_is_made_once_and_anew_when_its_source_changed_or_came_back(market):
    shop = FakeShop("a", _1=1)
    fair = market(shop)
    fair.confirm("a:1")
    fair.confirm("a:1")
    assert (fair.connected, shop.closed) == (["a"], 0)
    fair.registry.replace([make_source("a", timeout=timedelta(seconds=1))])
    fair.confirm("a:1")
    assert (fair.connected, shop.closed) == (["a", "a"], 1)
    fair.registry.replace([])
    assert fair.confirm("a:1")[0].state is LookState.ERROR
    assert shop.closed == 2


@pytest.fixture
def under_way(market):
    """A market whose only shop is being asked for a product, that shop, and a function that lets it answer and tells what came of it."""
    shop, began, goes_on, found = FakeShop("a", _1=1), threading.Event(), threading.Event(), []
    shop.trouble = lambda _: began.set() or (goes_on.wait(PATIENCE) and None)
    fair = market(shop)
    caller = threading.Thread(target=lambda: found.extend(fair.confirm("a:1")))
    caller.start()
    assert began.wait(PATIENCE)

    def let_answer():
        goes_on.set()
        caller.join(PATIENCE)
        return [look.state for look in found]

    yield fair, shop, let_answer
    let_answer()


def test_a_source_that_is_as_it_was_keeps_its_connector_and_the_calls_under_way(under_way):
    fair, shop, let_answer = under_way
    fair.registry.replace([make_source("a"), make_source("b")])
    assert fair.confirm("a:2", seconds=0)[0].state is LookState.TIMEOUT
    assert (let_answer(), fair.connected, shop.closed) == ([LookState.LIVE], ["a"], 0)


def test_a_source_that_changed_is_asked_anew_while_the_calls_under_way_come_to_their_end(under_way):
    fair, shop, let_answer = under_way
    fair.registry.replace([make_source("a", timeout=timedelta(seconds=1))])
    fair.confirm("a:2", seconds=0)
    assert (fair.connected, shop.closed) == (["a", "a"], 0)
    assert let_answer() == [LookState.LIVE]
    until = time.monotonic() + PATIENCE
    while not shop.closed and time.monotonic() < until:
        time.sleep(0.01)
    assert shop.closed == 1


def test_a_source_that_is_gone_is_closed_by_whoever_looks_next(market):
    gone, other = FakeShop("gone", _1=1), FakeShop("other", _1=1)
    fair = market(gone, other)
    fair.confirm("gone:1", "other:1")
    fair.registry.replace([make_source("other")])
    fair.confirm("other:1")
    assert (gone.closed, other.closed) == (1, 0)


def test_a_purge_makes_every_answer_so_far_a_miss(market):
    fair = market(FakeShop("a", _1=1))
    fair.confirm("a:1")
    fair.live.purge("a")
    fair.clock.advance(0.1)
    assert fair.confirm("a:1")[0].state is LookState.LIVE
    with pytest.raises(NotFound):
        fair.live.purge("nobody")


def test_closing_ends_what_is_under_way(market):
    shop = FakeShop("a", _1=1)
    fair = market(shop)
    fair.confirm("a:1")
    fair.live.close()
    assert shop.closed == 1
    assert fair.live.confirm([], 0) == []


def test_a_page_of_nothing_asks_nobody(market):
    started = time.monotonic()
    assert market().live.confirm([], 60) == []
    assert time.monotonic() - started < PATIENCE
