"""What four workers together do to a shop that is in trouble: breaker, pause, second tries, switches; and that the others do not feel it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from main.service.model import Outcome
from test.e2e.liveshops import FORGETFUL, PATIENT_MS, serve, states, strictly, sync
from test.e2e.stack import wait_for
from test.faults.openloop import drive
from test.faults.rawshop import RawShop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from test.e2e.liveshops import Aisle
    from test.e2e.stack import Answer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PRODUCTS = 200
FAILURES = 5
LOOK = 0.3  # seconds until every worker has seen what another has written


class Pair:
    """A healthy shop, and one that gets into trouble."""

    def __init__(self, aisle: Aisle, good: RawShop, odd: RawShop) -> None:
        self.aisle = aisle
        self.good = good
        self.odd = odd

    def begin_anew(self) -> None:
        self.odd.behave("good", release=True)
        self.aisle.switch("odd", breaker="closed")
        self.aisle.switch("odd", breaker="auto", enabled=True)
        time.sleep(LOOK)
        self.odd.forget()

    def ask_all(self, count: int, at_once: int = 12, deadline_ms: int = PATIENT_MS) -> list[Answer]:
        """That many looks at the odd shop's products, each at another one."""
        with ThreadPoolExecutor(at_once) as clients:
            return list(clients.map(lambda n: self.aisle.look("odd", n % PRODUCTS + 1, deadline_ms), range(count)))

    def breaker(self) -> str:
        return str(self.aisle.guard("odd")["breaker"]["state"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with RawShop(PRODUCTS) as good, RawShop(PRODUCTS) as odd:
        options = {"*": {"timeout": "2s"}}  # a second that a busy machine is late must not pass for a shop in trouble
        folder = tmp_path_factory.mktemp("guards")
        with serve(folder, {"good": good, "odd": odd}, live=FORGETFUL, options=options) as aisle:
            yield Pair(aisle, good, odd)


@pytest.fixture
def pair(running: Pair) -> Pair:
    running.begin_anew()
    return running


def state_of(answer: Answer) -> str:
    return str(strictly(answer.body)["freshness"]["state"])


@pytest.mark.parametrize("fault", ["status", "hang_up", "garbage"])
def test_five_failures_one_after_the_other_open_the_breaker_for_all_workers(pair: Pair, fault: str) -> None:
    pair.odd.behave(fault)
    for number in range(1, 40):
        pair.aisle.look("odd", number)
    calls = max(pair.odd.calls(), pair.odd.connections)
    assert FAILURES <= calls <= 2 * FAILURES, "each may be tried once more"
    assert pair.breaker() == "open"
    assert {state_of(answer) for answer in pair.ask_all(20)} == {"open"}
    assert max(pair.odd.calls(), pair.odd.connections) == calls


def test_a_flood_of_looks_makes_few_calls_before_the_breaker_opens(pair: Pair) -> None:
    pair.odd.behave("silent")
    answers = pair.ask_all(60)
    assert all(answer.status == 200 for answer in answers)
    # Those that had begun when the fifth failed: at most the source's four places.
    assert pair.odd.calls() <= FAILURES + 4
    assert pair.breaker() == "open"


def test_one_probe_at_a_time_and_none_for_five_seconds(pair: Pair) -> None:
    pair.odd.behave("silent")
    pair.ask_all(30)
    assert pair.breaker() == "open"
    wait_for("the end of what had begun", lambda: pair.odd.open == 0)
    pair.odd.forget()
    until = time.monotonic() + 9
    while time.monotonic() < until:
        pair.ask_all(8, at_once=8, deadline_ms=100)
        time.sleep(0.1)
    probes = [request.at for request in pair.odd.requests]
    assert len(probes) <= 2
    assert all(later - earlier >= 4.9 for earlier, later in pairwise(probes))
    assert pair.odd.busiest <= 1


def test_the_breaker_closes_soon_after_the_shop_is_back(pair: Pair) -> None:
    pair.odd.behave("status")
    pair.ask_all(30)
    assert pair.breaker() == "open"
    assert pair.aisle.guard("odd")["breaker"]["next_probe_at"]
    pair.odd.behave("good")
    # 10 s, and a machine that is busy
    wait_for("the breaker closed", lambda: state_of(pair.aisle.look("odd", 7)) == "live", seconds=20)
    assert pair.breaker() == "closed"
    # Few at once: on a busy machine five late answers in a row are five failures, and open it again.
    assert {state_of(answer) for answer in pair.ask_all(12, at_once=2)} <= {"live", "cached", "stale"}


def test_a_breaker_forced_open_lets_no_call_through_and_closed_lets_all(pair: Pair) -> None:
    pair.aisle.switch("odd", breaker="forced_open")
    time.sleep(1.2)  # so that no old answer steps in
    pair.odd.forget()
    assert {state_of(answer) for answer in pair.ask_all(24)} == {"open"}
    assert pair.odd.calls() == 0
    assert states(pair.aisle.ask(f"/products?live=true&source=good&deadline_ms={PATIENT_MS}"), "good")[0] == "live"
    pair.aisle.switch("odd", breaker="closed")
    time.sleep(LOOK)
    pair.odd.behave("status")
    assert {state_of(answer) for answer in pair.ask_all(24)} == {"error"}
    assert pair.odd.calls() >= 24, "however often it fails"


def test_second_tries_stay_within_their_budget(pair: Pair) -> None:
    pair.aisle.switch("odd", breaker="closed")
    pair.odd.behave("hang_up")
    logical = 300
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda n: pair.aisle.look("odd", n % PRODUCTS + 1), range(logical)))
    assert {state_of(answer) for answer in answers} <= {"error", "timeout"}
    # Ten at once, and one for every ten: 1,000 logical calls are at most 1,110 on the wire.
    assert pair.odd.calls() <= logical * 1.1 + 10


def test_a_shop_that_asks_for_three_seconds_gets_them_from_workers_and_syncs(pair: Pair) -> None:
    pair.odd.behave("throttle", retry_after="3")
    assert state_of(pair.aisle.look("odd", 1)) == "rate_limited"
    throttled = pair.odd.requests[-1].at
    pair.odd.behave("good")
    pair.odd.forget()
    assert pair.aisle.guard("odd")["paused_until"]
    listed = pair.aisle.ask("/products?per_page=5&source=odd")
    assert listed.status == 200
    assert len(listed.json["data"]) == 5
    with ThreadPoolExecutor(1) as syncs:  # over when the next test begins
        syncs.submit(sync, pair.aisle.env)
        answers = pair.ask_all(8, at_once=4)
        while time.monotonic() < throttled + 3:
            assert {state_of(answer) for answer in answers} == {"rate_limited"}
            time.sleep(0.05)
            answers = pair.ask_all(8, at_once=4)  # those that end after the pause say nothing
        assert [request for request in pair.odd.requests if request.at < throttled + 2.9] == []
        wait_for("the pause to end", lambda: state_of(pair.aisle.look("odd", 9)) == "live", seconds=20)


def test_the_end_of_a_pause_lets_syncs_go_on(pair: Pair) -> None:
    assert set(sync(pair.aisle.env)) == {Outcome.OK}


def test_what_is_remembered_is_forgotten_on_demand_by_every_worker(tmp_path) -> None:
    with RawShop(4) as shop, serve(tmp_path, {"shop": shop}, live={"fresh": "60s"}, cache={"kind": "file"}) as aisle:
        for _ in range(20):
            aisle.look("shop")
        calls = shop.calls("/products/1")
        assert calls == 1
        shop.products[1]["price"] = 77.5
        assert aisle.ask("/sources/shop/cache", "DELETE").status == 204
        time.sleep(LOOK)
        prices = {aisle.look("shop").json["price"]["amount"] for _ in range(20)}
        assert prices == {"77.50"}
        assert shop.calls("/products/1") == 2
        assert aisle.ask("/sources/nobody/cache", "DELETE").status == 404


def test_probes_and_lists_cause_no_call(pair: Pair) -> None:
    for path in ("/health", "/ready", "/status", "/heartbeat", "/sources", "/sources/odd", "/products", "/products/odd:1"):
        for _ in range(5):
            assert pair.aisle.ask(path).status == 200
    assert pair.odd.calls() == 0


def test_with_every_shop_silent_probes_and_lists_go_on(pair: Pair) -> None:
    pair.odd.behave("silent")
    pair.good.behave("silent")
    looks = [threading.Thread(target=pair.ask_all, args=(40,)) for _ in range(1)]
    for thread in looks:
        thread.start()
    try:
        for _ in range(10):
            for path in ("/health", "/ready", "/products?per_page=5"):
                assert pair.aisle.ask(path).status == 200
    finally:
        for thread in looks:
            thread.join()
        pair.good.behave("good", release=True)


def test_one_hanging_shop_of_twenty_is_not_felt_by_the_others(tmp_path) -> None:
    names = [f"s{number:02}" for number in range(20)]
    with ExitStack() as stack:
        shops = {name: stack.enter_context(RawShop(30)) for name in names}
        options = {"s07": {"timeout": "400ms"}}
        aisle = stack.enter_context(serve(tmp_path, shops, options=options))
        urls = [f"{aisle.url}/products?live=true&sort=name&per_page=20&page={page}&deadline_ms=3000" for page in (1, 2)]
        for url in urls:  # connections and threads are made once
            aisle.ask(url.removeprefix(aisle.url).replace("deadline_ms=3000", f"deadline_ms={PATIENT_MS}"))
        assert aisle.ask("/sources/s07/cache", "DELETE").status == 204
        shops["s07"].forget()
        shops["s07"].behave("silent")
        volley = drive(urls, rate=50, seconds=8, processes=1)
        assert set(volley.statuses) == {200}
        products = [product for shot in volley.shots for product in strictly(shot.body)["data"] if product["source"] != "s07"]
        answered = [product for product in products if product["freshness"]["state"] in {"live", "cached", "stale"}]
        print(f"{len(answered)} of {len(products)}; p50 {volley.percentile(50):.3f} s, p99 {volley.percentile(99):.3f} s")
        assert len(answered) >= len(products) * 0.999
        assert shops["s07"].calls("/products/") <= FAILURES + 4 + 2
        last = strictly(volley.shots[-1].body)["meta"]["live"]["sources"]["s07"]
        assert last["state"] in {"open", "timeout"}
        assert last["confirmed"] == 0
