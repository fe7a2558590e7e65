from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from main.app import create_app
from main.service.model import Outcome
from test.fakes import FakeClock, MemoryCatalogue, make_product, make_report, put_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from main.settings import Settings

Fetch = Any


def test_all_sources_are_told_in_the_order_of_the_configuration(fetch: Fetch):
    found = fetch("/sources")
    assert found["total"] == 3
    assert [(source["name"], source["kind"], source["products"], source["rejected"]) for source in found["data"]] == [
        ("lumen", "shopify", 21, 1),
        ("depot", "woocommerce", 18, 2),
        ("parts", "feed", 17, 3),
    ]
    assert {(source["state"], source["current"], source["outcome"], source["failures"]) for source in found["data"]} == {
        ("fresh", True, "ok", 0)
    }


def test_one_source_is_told_as_in_the_list(fetch: Fetch):
    for source in fetch("/sources")["data"]:
        one = fetch(f"/sources/{source['name']}")
        assert {**one, "age_s": 0} == {**source, "age_s": 0}


def test_no_secret_of_a_source_is_told(client: FlaskClient):
    assert not any(secret in client.get("/sources").text for secret in ("demo-key", "demo-secret", "password", "credentials"))


def test_sources_are_told_before_their_first_sync(unsynced_client: FlaskClient):
    source = unsynced_client.get("/sources/lumen").json
    unknown = (
        "synced_at",
        "attempted_at",
        "outcome",
        "error",
        "error_type",
        "failed_at",
        "duration_ms",
        "next_sync_at",
        "age_s",
    )
    assert {source[key] for key in unknown} == {None}
    assert (source["state"], source["current"], source["products"]) == ("stale", False, 0)


def test_a_failure_is_told_beside_the_last_good_snapshot(settings: Settings):
    store = MemoryCatalogue()
    put_snapshot(store, "lumen", [make_product(1, "lumen")])
    store.record(make_report("lumen", Outcome.FAILED, error_type="UpstreamTimeout", error="No whole answer in time."))
    clock = FakeClock()
    clock.advance(60)
    client = create_app(settings, reader=store, clock=clock).test_client()
    source = client.get("/sources/lumen").json
    assert (source["state"], source["current"], source["products"], source["failures"]) == ("error", False, 1, 1)
    assert (source["error_type"], source["error"], source["age_s"]) == ("UpstreamTimeout", "No whole answer in time.", 59)
    page = client.get("/products").json
    assert (page["total"], page["meta"]["complete"], page["meta"]["sources"]["lumen"]["state"]) == (1, False, "error")


def test_a_source_that_is_being_crawled_says_so(settings: Settings):
    store, clock = MemoryCatalogue(), FakeClock()
    store.schedule("lumen", clock.now())
    store.acquire("lumen", "other", clock.now() + dt.timedelta(seconds=30), clock.now())
    client = create_app(settings, reader=store, clock=clock).test_client()
    assert client.get("/sources/lumen").json["state"] == "syncing"
    clock.advance(31)
    assert client.get("/sources/lumen").json["state"] == "stale"


def test_quarantine_names_each_record_with_its_reasons(fetch: Fetch):
    page = fetch("/sources/parts/quarantine")
    assert (page["total"], page["pages"], page["page"], page["per_page"]) == (3, 1, 1, 30)
    assert [(record["record_id"], record["faults"][0]["field"]) for record in page["data"]] == [
        ("PX-1014", "price"),
        ("PX-1015", "price"),
        (None, "id"),
    ]
    assert all(record["faults"][0]["reason"] and record["raw"].startswith("{") for record in page["data"])


def test_quarantine_is_paged(client: FlaskClient):
    second = client.get("/sources/parts/quarantine?per_page=2&page=2")
    assert ([record["position"] for record in second.json["data"]], second.json["pages"]) == ([16], 2)
    assert second.headers["X-Total-Count"] == "3"
    assert 'rel="prev"' in second.headers["Link"]
    assert client.get("/sources/parts/quarantine?page=9").json["data"] == []


def test_an_empty_quarantine_is_an_empty_list(unsynced_client: FlaskClient):
    found = unsynced_client.get("/sources/lumen/quarantine").json
    assert found == {"data": [], "page": 1, "per_page": 30, "total": 0, "pages": 0}


def test_wrong_parameters_are_refused(client: FlaskClient, fetch: Callable[..., Any]):
    errors = client.get("/sources/parts/quarantine?page=0&per_page=x&q=1").json["errors"]
    assert set(errors) == {"page", "per_page", "q"}
    assert client.get("/sources/parts?page=1").json["errors"] == {"page": ["is unknown; there is: none"]}
