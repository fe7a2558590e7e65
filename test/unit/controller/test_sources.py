from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from main.app import create_app
from main.service.model import Drift, GuardState, Outcome
from test.fakes import (
    NOW,
    FakeClock,
    FakeDoor,
    MemoryCatalogue,
    MemoryGuardBook,
    as_admin,
    make_product,
    make_report,
    put_snapshot,
)
from test.unit.controller.documented import assert_as_documented

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

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


def test_what_live_looks_remember_can_be_forgotten(settings: Settings):
    book = MemoryGuardBook()
    client = as_admin(create_app(settings, book=book, door=FakeDoor()).test_client())
    answer = client.delete("/sources/lumen/cache")
    assert (answer.status_code, answer.data) == (204, b"")
    assert book.read("lumen").purged_at is not None
    assert book.read("parts").purged_at is None
    assert client.delete("/sources/nobody/cache").status_code == 404
    assert client.delete("/sources/lumen/cache?all=1").json["errors"] == {"all": ["is unknown; there is: none"]}
    assert client.get("/sources/lumen/cache").status_code == 405


def test_an_empty_quarantine_is_an_empty_list(unsynced_client: FlaskClient):
    found = unsynced_client.get("/sources/lumen/quarantine").json
    assert found == {"data": [], "page": 1, "per_page": 30, "total": 0, "pages": 0}


def test_wrong_parameters_are_refused(client: FlaskClient, fetch: Callable[..., Any]):
    errors = client.get("/sources/parts/quarantine?page=0&per_page=x&q=1").json["errors"]
    assert set(errors) == {"page", "per_page", "q"}
    assert client.get("/sources/parts?page=1").json["errors"] == {"page": ["is unknown; there is: none"]}


# the guard, the switch, the last sync and the drift


class Guarded:
    """The application over a catalogue and a guard book in memory."""

    def __init__(self, settings: Settings) -> None:
        self.store, self.book = MemoryCatalogue(), MemoryGuardBook()
        parts = {"reader": self.store, "board": self.store, "book": self.book, "clock": FakeClock(), "door": FakeDoor()}
        self.client = as_admin(create_app(settings, **parts).test_client())
        self.document = self.client.get("/swagger.json").json

    def patch(self, name: str = "lumen", seen: str | None = "*", **given: Any) -> TestResponse:
        answer = self.client.patch(f"/sources/{name}", headers={} if seen is None else {"If-Match": seen}, **given)
        assert_as_documented(self.document, "/sources/{name}", answer, "patch")
        return answer


@pytest.fixture
def guarded(settings: Settings) -> Guarded:
    return Guarded(settings)


def test_a_breaker_is_set_and_the_source_is_told_as_it_stands_then(guarded: Guarded):
    guarded.book.states["lumen"] = GuardState(failures_in_row=5, opened_at=1, open_until=9e9, calls=9)
    for mode, state in (("forced_open", "open"), ("closed", "closed"), ("auto", "closed")):
        answer = guarded.patch(json={"breaker": mode})
        assert answer.status_code == 200
        breaker = answer.json["guard"]["breaker"]
        assert (breaker["mode"], breaker["state"], breaker["failures_in_row"]) == (mode, state, 0)
        assert guarded.client.get("/sources/lumen").json == answer.json
    assert guarded.book.read("lumen").calls == 9


def test_a_source_is_switched_off_and_on_and_given_back_to_the_settings(guarded: Guarded):
    for given, enabled, state in ((False, False, "disabled"), (True, True, "stale"), (None, True, "stale")):
        answer = guarded.patch(json={"enabled": given}).json
        assert (answer["enabled"], answer["state"]) == (enabled, state)
        assert guarded.book.read("lumen").enabled is given
    assert guarded.client.get("/sources").json["data"][0] == answer


@pytest.mark.parametrize(
    ("given", "status", "errors"),
    [
        ({}, 422, {"body": ["must have at least one of: breaker, enabled"]}),
        ({"json": {}}, 422, {"body": ["must have at least one of: breaker, enabled"]}),
        ({"json": {"breaker": "shut"}}, 422, {"breaker": ["must be one of: auto, forced_open, closed"]}),
        ({"json": {"state": "open"}}, 422, {"state": ["is unknown; there is: breaker, enabled"]}),
        ({"json": ["breaker"]}, 422, {"body": ["must be a JSON object with: breaker, enabled"]}),
        ({"json": {"enabled": True}, "query_string": {"a": 1}}, 422, {"a": ["is unknown; there is: none"]}),
        ({"data": "enabled=true", "content_type": "application/x-www-form-urlencoded"}, 415, None),
        ({"data": "{", "content_type": "application/json"}, 400, None),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(guarded: Guarded, given: Any, status: int, errors: Any):
    answer = guarded.patch(**given)
    assert (answer.status_code, answer.json.get("errors")) == (status, errors)
    assert guarded.book.states == {}


def tag(guarded: Guarded) -> str:
    return guarded.client.get("/sources/lumen").headers["ETag"]


def test_the_tag_of_a_source_names_its_switch_and_nothing_else(guarded: Guarded):
    assert tag(guarded) == 'W/"auto-on"'
    guarded.book.states["lumen"] = GuardState(calls=9, failures=5, opened_at=1, open_until=9e9)
    assert tag(guarded) == 'W/"auto-on"'
    assert guarded.patch(json={"breaker": "forced_open"}).headers["ETag"] == tag(guarded) == 'W/"forced_open-on"'
    assert guarded.patch(json={"enabled": False}).headers["ETag"] == 'W/"forced_open-off"'


def test_an_answer_whose_tag_names_a_part_of_it_is_kept_by_nobody_and_never_304(guarded: Guarded):
    answer = guarded.client.get("/sources/lumen", headers={"If-None-Match": tag(guarded)})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "ETag" not in guarded.client.get("/sources").headers


@pytest.mark.parametrize("seen", ["*", 'W/"auto-on"', '"auto-on"', "auto-on", '"closed-off", "auto-on"'])
def test_a_switch_is_set_if_it_is_as_it_was_seen_or_whatever_it_is(guarded: Guarded, seen: str):
    assert guarded.patch(json={"breaker": "forced_open"}, seen=seen).status_code == 200


def test_who_does_not_say_what_they_have_seen_is_asked_for_it(guarded: Guarded):
    answer = guarded.patch(json={"breaker": "closed"}, seen=None)
    assert answer.status_code == 428
    assert "If-Match" in answer.json["detail"]
    assert guarded.book.states == {}


@pytest.mark.parametrize("seen", ['"auto-off"', '"closed-on"', '""', "nonsense"])
def test_a_switch_that_somebody_else_has_set_meanwhile_is_left_alone(guarded: Guarded, seen: str):
    answer = guarded.patch(json={"breaker": "closed"}, seen=seen)
    assert answer.status_code == 412
    assert answer.json["detail"] == ("It was switched since it was read: breaker is auto and enabled true now. Read it again.")
    assert guarded.book.read("lumen") == GuardState()


def test_a_body_that_is_no_json_is_told_so(guarded: Guarded):
    assert guarded.patch(data="{", content_type="application/json").json["detail"] == "The body is not well-formed JSON."


def test_the_guard_of_a_source_nobody_knows_is_404(guarded: Guarded):
    assert guarded.patch("nobody", json={"enabled": True}).status_code == 404
    assert guarded.book.states == {}


def test_the_newest_sync_is_told_with_its_address(guarded: Guarded):
    assert guarded.client.get("/sources/lumen").json["last_sync"] is None
    guarded.store.request("lumen", NOW, force=False)
    told = guarded.client.get("/sources/lumen").json["last_sync"]
    assert told == {"id": 1, "state": "requested", "url": "/sources/lumen/syncs/1"}
    assert guarded.client.get(told["url"]).json["id"] == 1


def test_a_drift_is_told(guarded: Guarded):
    assert guarded.client.get("/sources/lumen").json["drift"] is None
    drift = Drift(seen_at=NOW, missing=("price",))
    guarded.store.record(make_report("lumen", Outcome.FAILED, drift=drift))
    told = guarded.client.get("/sources/lumen").json["drift"]
    assert told == {"seen_at": "2026-03-01T12:00:00.000Z", "new": [], "missing": ["price"], "retyped": []}
