"""From a real shop over real HTTP into the catalogue and out through the API."""

import threading

import orjson
import pytest

from main.service import sync as sync_module
from main.service.model import Outcome
from sample.ports import LOOPBACK
from sample.processes import find_free_port
from sample.server import running
from sample.shops import demo_app
from test.fakes import FakeClock
from test.faults.shops import FaultyShop, shopify_app, shopify_product
from test.integration.conftest import demo_sources, shop_source


def test_the_three_sample_shops_become_one_catalogue(aisle):
    with running(demo_app()) as url:
        team = aisle(*demo_sources(url))
        reports = team.sync()
    assert {report.outcome for report in reports.values()} == {Outcome.OK}
    answer = team.get("/products?facets=source").json
    counted = {bucket["value"]: bucket["count"] for bucket in answer["facets"]["source"]}
    assert counted == {name: report.products for name, report in reports.items()}
    assert answer["meta"]["complete"] is True
    for name, report in reports.items():
        quarantine = team.get(f"/sources/{name}/quarantine?per_page=100").json
        assert quarantine["total"] == report.rejected
        assert all(fault["reason"] for record in quarantine["data"] for fault in record["faults"])
    assert sum(report.rejected for report in reports.values()) > 0


def test_what_a_shop_changes_is_followed_and_what_it_does_not_change_is_not_touched(aisle, shop):
    team = aisle(shop_source("acme", shop.url))
    first = team.sync()["acme"]
    again = team.sync()["acme"]
    shop.restock(50)
    fewer = team.sync()["acme"]
    shop.restock(70)
    more = team.sync()["acme"]
    assert [(r.created, r.updated, r.deleted, r.version) for r in (first, again, fewer, more)] == [
        (60, 0, 0, 1),
        (0, 0, 0, 1),
        (0, 0, 10, 2),
        (20, 0, 0, 3),
    ]
    assert team.total() == 70


def test_a_shop_of_several_pages_is_taken_in_whole(aisle, shop):
    shop.restock(1050)
    assert aisle(shop_source("acme", shop.url)).sync()["acme"].pages == 6


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_bad_record_never_harms_its_neighbours(aisle, position):
    records = [shopify_product(1), shopify_product(2), shopify_product(3)]
    records[position] = {**records[position], "title": None, "variants": "none"}
    with running(shopify_app([records])) as url:
        team = aisle(shop_source("acme", url, kind="shopify"))
        report = team.sync()["acme"]
    assert (report.outcome, report.products, report.rejected) == (Outcome.OK, 2, 1)
    assert team.ids() == [f"acme:{n + 1}" for n in range(3) if n != position]
    (rejected,) = team.get("/sources/acme/quarantine").json["data"]
    assert (rejected["position"], rejected["record_id"]) == (position + 1, str(position + 1))


def test_records_of_every_wrong_shape_are_only_themselves_wrong(aisle):
    wrong = [
        None,
        7,
        "text",
        [],
        {},
        {"id": None},
        {"id": {}, "title": []},
        {"id": 9, "title": "x" * 10**5, "variants": [None]},
    ]
    with running(shopify_app([[shopify_product(1), *wrong, shopify_product(2)]])) as url:
        team = aisle(shop_source("acme", url, kind="shopify"))
        report = team.sync()["acme"]
    assert (report.products, report.rejected, team.ids()) == (2, len(wrong), ["acme:1", "acme:2"])
    found = team.get("/sources/acme/quarantine").json["data"]
    assert all(record["faults"] for record in found)


def test_a_shop_without_a_single_valid_record_is_an_error_and_its_quarantine_tells_why(aisle, tmp_path):
    feed = tmp_path / "feed.json"
    team = aisle(shop_source("mill", f"file://{feed}", kind="feed", format="json"))
    feed.write_bytes(orjson.dumps([{"id": str(number), "name": "Lamp", "price": "-1"} for number in range(40)]))
    report = team.sync()["mill"]
    assert (report.outcome, report.error_type, report.rejected) == (Outcome.FAILED, "NothingValid", 40)
    found = team.source("mill")
    assert (found["state"], found["synced_at"], found["rejected"]) == ("error", None, 40)
    assert found["error"] == "Not one of its 40 records is a valid product; the quarantine tells why."
    quarantine = team.get("/sources/mill/quarantine").json
    assert (quarantine["total"], quarantine["data"][0]["faults"][0]["field"]) == (40, "price")
    feed.write_bytes(orjson.dumps([{"id": "1", "name": "Lamp", "price": "9.99"}]))
    assert (team.sync()["mill"].outcome, team.get("/sources/mill/quarantine").json["total"]) == (Outcome.OK, 0)


def test_a_shop_that_lost_more_than_half_is_held_until_a_second_crawl_agrees(aisle, shop):
    team = aisle(shop_source("acme", shop.url))
    team.sync()
    shop.restock(20)
    assert team.sync()["acme"].outcome is Outcome.HELD
    held = team.source("acme")
    assert (held["state"], held["error_type"], held["products"], team.total()) == ("error", "Shrunk", 60, 60)
    assert held["error"] == "The crawl found 20 products where the snapshot has 60; it waits for a second one that agrees."
    assert team.sync()["acme"].outcome is Outcome.OK
    assert (team.source("acme")["state"], team.total()) == ("fresh", 20)


def test_a_shop_that_lost_more_than_half_is_believed_at_once_with_force(aisle, shop):
    team = aisle(shop_source("acme", shop.url))
    team.sync()
    shop.restock(20)
    assert team.sync(force=True)["acme"].deleted == 40
    assert team.total() == 20


def test_a_shop_that_was_empty_for_a_moment_loses_nothing(aisle, shop):
    team = aisle(shop_source("acme", shop.url))
    team.sync()
    shop.restock(0)
    assert team.sync()["acme"].outcome is Outcome.HELD
    shop.restock(60)
    assert (team.sync()["acme"].outcome, team.total(), team.source("acme")["state"]) == (Outcome.OK, 60, "fresh")


def test_all_sources_down_at_start_are_reported_and_later_synced(aisle):
    port = find_free_port(LOOPBACK)
    team = aisle(shop_source("acme", f"http://127.0.0.1:{port}"), shop_source("depot", f"http://127.0.0.1:{port}"))
    waiting = team.get("/ready")
    assert (waiting.status_code, waiting.json["waiting"]) == (503, ["acme", "depot"])
    reports = team.sync()
    assert [report.outcome for report in reports.values()] == [Outcome.FAILED] * 2
    answer = team.get("/products")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert {name: source["state"] for name, source in answer.json["sources"].items()} == {"acme": "error", "depot": "error"}
    assert team.get("/ready").status_code == 200
    told = team.source("acme")
    assert (told["state"], told["error_type"], told["failures"]) == ("error", "UpstreamUnreachable", 1)
    assert told["error"] == "The shop refuses connections."
    with running(FaultyShop(), port):
        assert {report.outcome for report in team.sync().values()} == {Outcome.OK}
    assert (team.total(), team.source("acme")["state"], team.source("acme")["failures"]) == (120, "fresh", 0)


def test_two_syncs_never_crawl_one_source_at_once(aisle, shop):
    shop.fault = "hanging"
    team, reports = aisle(shop_source("acme", shop.url, timeout=sync_module.LEASE)), {}
    first = threading.Thread(target=lambda: reports.update(first=team.sync()["acme"].outcome))
    first.start()
    assert shop.asked.wait(20)
    assert team.source("acme")["state"] == "syncing"
    reports["second"] = team.sync()["acme"].outcome
    shop.released.set()
    first.join(20)
    assert (reports, shop.calls) == ({"first": Outcome.OK, "second": Outcome.BUSY}, 1)


def test_a_lease_taken_over_in_the_middle_of_a_crawl_fences_the_first_one_off(aisle, shop):
    clock = FakeClock()
    shop.fault = "hanging"
    slow, outcomes = aisle(shop_source("acme", shop.url, timeout=sync_module.LEASE), clock=clock), []
    first = threading.Thread(target=lambda: outcomes.append(slow.sync()["acme"].outcome))
    first.start()
    assert shop.asked.wait(20)
    late = FakeClock(clock.now() + 2 * sync_module.LEASE)
    shop.fault = None
    with running(FaultyShop(5)) as url:
        assert aisle(shop_source("acme", url), clock=late).sync()["acme"].version == 1
    shop.released.set()
    first.join(20)
    assert outcomes == [Outcome.BUSY]
    assert (slow.total(), slow.get("/products").json["meta"]["version"]) == (5, 1)


def test_a_stored_product_is_served_byte_for_byte(aisle, shop):
    team = aisle(shop_source("acme", shop.url))
    team.sync()
    listed = team.get("/products?per_page=1").json["data"][0]
    assert orjson.loads(team.get(f"/products/{listed['id']}").data) == listed


def test_a_feed_that_renames_a_column_is_told_at_its_source(aisle, tmp_path):
    feed = tmp_path / "feed.csv"
    team = aisle(shop_source("mill", f"file://{feed}", kind="feed", format="csv"))
    feed.write_text("id,name,price,stock\n1,Lamp,9.99,3\n2,Vase,5.00,1\n")
    team.sync()
    assert team.source("mill")["drift"] is None
    feed.write_text("id,name,price,on_hand\n1,Lamp,9.99,3\n2,Vase,5.00,1\n")
    team.sync()
    drift = team.source("mill")["drift"]
    assert (drift["new"], drift["missing"], drift["retyped"]) == (["on_hand"], ["stock"], [])
    assert drift["seen_at"]


def test_a_shop_that_retypes_a_field_and_then_breaks_is_told_too(aisle, tmp_path):
    feed = tmp_path / "feed.json"
    team = aisle(shop_source("mill", f"file://{feed}", kind="feed", format="json"))
    products = [{"id": str(number), "name": "Lamp", "price": "9.99"} for number in range(300)]
    feed.write_bytes(orjson.dumps(products))
    team.sync()
    feed.write_bytes(orjson.dumps([{**product, "price": {"net": 9}} for product in products]))
    assert team.sync()["mill"].outcome is Outcome.HELD
    assert team.source("mill")["drift"]["retyped"] == ["price"]
    assert team.source("mill")["drift"]["new"] == ["price.net"]
