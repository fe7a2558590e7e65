"""Whatever a shop does, lists go on answering its last good data and /sources tells the truth."""

import itertools
import time
from datetime import timedelta

import pytest

from main.service.model import Outcome
from sample.server import running
from sample.shops import SHOP_NAMES, demo_app
from test.faults.shops import FaultyShop, raw_server, shopify_app, shopify_product
from test.integration.conftest import demo_sources, shop_source

WORDS = {
    "html": ("UpstreamGarbled", "it is an HTML or XML page."),
    "truncated": ("UpstreamGarbled", "it is cut off or malformed."),
    "empty": ("UpstreamGarbled", "it is empty."),
    "broken_off": ("UpstreamUnreachable", "broke off"),
    "no_total": ("UpstreamGarbled", "does not say how many products"),
    "lying_total": ("CrawlIncomplete", "The shop says it has 67 products, but gave 60."),
    "same_page": ("CrawlIncomplete", "The shop repeats itself"),
    "endless": ("CrawlIncomplete", "more than the 500 products that max_products allows"),
    "throttled": ("UpstreamThrottled", "The shop answered 429: too many calls."),
    "broken": ("UpstreamRefused", "The shop answered 500."),
    "redirecting": ("UpstreamRefused", "a redirect, which is not followed"),
    "hanging": ("UpstreamTimeout", "did not answer in time"),
}
# Only a shop that hangs is given up soon: on a busy machine a good one may need some of its time.
LONG = timedelta(seconds=20)
TIMES = {"hanging": timedelta(milliseconds=300)}


def limited(name, url, **given):
    return shop_source(name, url, **{"max_products": 500, "timeout": LONG, **given})


@pytest.mark.parametrize("fault", WORDS)
def test_a_faulty_shop_changes_no_list_and_says_what_is_wrong(aisle, shop, fault):
    with running(FaultyShop(5, seed=2)) as good:
        team = aisle(limited("acme", shop.url), limited("depot", good))
        team.sync()
        before = team.get("/products?per_page=100&facets=source,brand,price").json
        shop.fault = fault
        team = aisle(limited("acme", shop.url, timeout=TIMES.get(fault, LONG)), limited("depot", good))
        reports = team.sync()
        after = team.get("/products?per_page=100&facets=source,brand,price").json
    assert (reports["acme"].outcome, reports["depot"].outcome) == (Outcome.FAILED, Outcome.OK)
    assert {part: after[part] for part in ("data", "total", "facets")} == {
        part: before[part] for part in ("data", "total", "facets")
    }
    assert (after["meta"]["version"], after["meta"]["complete"]) == (before["meta"]["version"], False)
    error_type, words = WORDS[fault]
    told = team.source("acme")
    assert (told["error_type"], told["outcome"], told["failures"], told["products"]) == (error_type, "failed", 1, 60)
    assert told["state"] == ("rate_limited" if fault == "throttled" else "error")
    assert words in told["error"]
    assert shop.url not in told["error"]
    assert team.source("depot")["state"] == "fresh"


@pytest.mark.parametrize("fault", [fault for fault in WORDS if fault != "throttled"])
def test_a_shop_that_is_faulty_from_the_start_gives_nothing_and_later_everything(aisle, shop, fault):
    team = aisle(limited("acme", shop.url, timeout=TIMES.get(fault, LONG)))
    shop.fault = fault
    assert team.sync()["acme"].outcome is Outcome.FAILED
    assert team.get("/products").status_code == 503
    shop.fault = None
    shop.released.set()
    team = aisle(limited("acme", shop.url))
    assert team.sync()["acme"].outcome is Outcome.OK
    assert (team.total(), team.source("acme")["state"]) == (60, "fresh")


def test_a_shop_that_asks_for_a_pause_is_not_called_before_it_is_over(aisle, shop):
    team = aisle(limited("acme", shop.url))
    shop.fault, shop.retry_after = "throttled", "2"
    assert team.sync()["acme"].outcome is Outcome.FAILED
    shop.fault, began, calls = None, time.monotonic(), shop.calls
    held = team.sync()["acme"]
    assert (held.outcome, held.error_type, shop.calls) == (Outcome.HELD_BACK, "UpstreamPaused", calls)
    assert 0 < held.retry_after <= 2
    told = team.source("acme")
    assert (told["error_type"], told["failures"], told["state"]) == ("UpstreamThrottled", 1, "rate_limited")
    while (report := team.sync()["acme"]).outcome is Outcome.HELD_BACK:
        assert shop.calls == calls
        time.sleep(0.05)
    assert (report.outcome, team.total()) == (Outcome.OK, 60)
    assert time.monotonic() - began > 1.5


@pytest.mark.parametrize("victim", SHOP_NAMES)
def test_each_sample_shop_can_die_without_a_list_noticing(aisle, victim):
    with running(demo_app()) as url:
        team = aisle(*demo_sources(url))
        team.sync()
    before = team.ids()
    with running(demo_app([name for name in SHOP_NAMES if name != victim])) as url:
        team = aisle(*demo_sources(url))
        reports = team.sync()
        assert team.ids() == before
        assert [name for name, report in reports.items() if report.outcome is not Outcome.OK] == [victim]
        states = {source["name"]: source["state"] for source in team.get("/sources").json["data"]}
        assert states == {name: "error" if name == victim else "fresh" for name in SHOP_NAMES}
        assert team.source(victim)["error_type"] == "UpstreamRefused"


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (None, "UpstreamUnreachable"),
        (b"", "UpstreamUnreachable"),
        (b"HTTP/1.1 200 OK\r\n\r\n{", "UpstreamGarbled"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "UpstreamUnreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", "UpstreamGarbled"),
    ],
    ids=["reset", "silence", "half", "not-http", "not-gzip"],
)
def test_a_server_that_speaks_no_http_is_a_failed_crawl(aisle, answer, error_type):
    with raw_server(answer) as url:
        team = aisle(limited("acme", url))
        report = team.sync()["acme"]
    assert (report.outcome, report.error_type) == (Outcome.FAILED, error_type)
    assert team.source("acme")["state"] == "error"


def test_a_storefront_with_new_products_for_ever_is_cut_off(aisle):
    numbers = itertools.count(1)
    endless = ([shopify_product(next(numbers)) for _ in range(250)] for _ in itertools.count())
    with running(shopify_app(endless)) as url:
        report = aisle(limited("acme", url, kind="shopify", timeout=timedelta(seconds=5))).sync()["acme"]
    assert (report.error_type, report.outcome) == ("CrawlIncomplete", Outcome.FAILED)
    assert next(numbers) < 5000


def test_a_storefront_that_gives_one_page_for_ever_is_cut_off(aisle):
    page = [shopify_product(number) for number in range(250)]
    with running(shopify_app(itertools.repeat(page))) as url:
        report = aisle(limited("acme", url, kind="shopify", timeout=timedelta(seconds=5))).sync()["acme"]
    assert (report.error_type, "repeats itself" in report.error) == ("CrawlIncomplete", True)


def test_a_shop_that_fails_on_a_later_page_changes_nothing(aisle):
    pages = [[shopify_product(number + 250 * page) for number in range(250)] for page in range(3)]
    with running(shopify_app(pages)) as url:
        team = aisle(limited("acme", url, kind="shopify", max_products=5000))
        assert team.sync()["acme"].products == 750
        version = team.get("/products").json["meta"]["version"]
    pages[0], pages[2] = [shopify_product(number + 9000) for number in range(250)], [{"id": 1}] * 250
    with running(shopify_app([pages[0], pages[1], pages[1]])) as url:
        team = aisle(limited("acme", url, kind="shopify", max_products=5000))
        assert team.sync()["acme"].outcome is Outcome.FAILED
    assert (team.total(), team.get("/products").json["meta"]["version"]) == (750, version)
    assert team.get("/products/acme:9000").status_code == 404


def test_repeated_failures_are_counted_and_tried_again_soon(aisle, shop):
    team = aisle(limited("acme", shop.url))
    shop.fault = "broken"
    for _ in range(3):
        team.sync()
    told = team.source("acme")
    assert told["failures"] == 3
    assert told["failed_at"] < told["next_sync_at"]
