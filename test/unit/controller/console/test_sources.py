from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from main.service.model import BreakerMode, Drift, Fault, GuardState, Outcome, Rejected
from test.fakes import NOW, make_product, make_report, put_snapshot

if TYPE_CHECKING:
    from test.unit.controller.console.pages import Pages

URL = "/console/sources/lumen"


def reject(number: int, raw: str = '{"a": [1, 2]}') -> Rejected:
    return Rejected(number, str(number), (Fault("price", "is negative"),), raw)


def test_all_sources_are_listed(pages: Pages):
    page = pages.see("/console/sources", "reader")
    assert [link["href"] for link in page.all("a")][-4:-1] == [
        f"/console/sources/{name}" for name in ("lumen", "depot", "parts")
    ]
    assert len(page.all("tr")) == 4


def test_one_is_told_with_its_settings_and_no_secret(pages: Pages):
    page = pages.see("/console/sources/depot", "reader")
    assert "basic (set)" in page.text
    assert not any(secret in page.text for secret in ("demo-key", "demo-secret"))
    assert pages.see("/console/sources/nobody", "reader", 404)


def test_the_quarantine_stands_beside_its_reasons_and_is_paged(pages: Pages):
    put_snapshot(pages.store, "lumen", [], [reject(number) for number in range(1, 13)])
    page = pages.see(URL, "reader")
    assert len(page.all("pre")) == 10
    assert '{ "a": [ 1, 2 ] }' in page.text
    assert page.one("a", rel="next")["href"] == f"{URL}?page=2"
    assert len(pages.see(f"{URL}?page=2&done=sync", "reader").all("pre")) == 2
    assert "There is nothing on this page" in pages.see(f"{URL}?page=3", "reader").text
    assert "Nothing is in quarantine" in pages.see("/console/sources/parts", "reader").text


def test_a_record_that_is_no_json_is_shown_as_it_came(pages: Pages):
    put_snapshot(pages.store, "lumen", [], [reject(1, '{"cut": "of')])
    assert '{"cut": "of' in pages.see(URL, "reader").text


@pytest.mark.parametrize("query", ["page=0", "page=x", "odd=1", "done=odd", "page=100001"])
def test_wrong_parameters_are_refused(pages: Pages, query: str):
    assert pages.see(f"{URL}?{query}", "reader", 422)


def test_guard_syncs_and_drift_are_told(pages: Pages):
    pages.book.states["lumen"] = GuardState(
        calls=9,
        failures=2,
        durations_ms=(100, 200),
        last_error_type="UpstreamTimeout",
        last_error="No whole answer.",
        last_error_at=NOW.timestamp(),
        opened_at=1.0,
        open_until=NOW.timestamp() + 9e9,
        paused_until=NOW.timestamp() + 9e9,
    )
    number = pages.store.begin("lumen", NOW, force=False).id
    drift = Drift(seen_at=NOW, missing=("price",))
    pages.store.record(make_report("lumen", Outcome.FAILED, id=number, error="It broke.", drift=drift))
    text = pages.see(URL, "reader").text
    for told in ("9, 2 of them failed", "No whole answer.", "It broke.", "Missing fields price", "200 ms", "decided by itself"):
        assert told in text


@pytest.mark.parametrize("role", ["reader", "editor"])
def test_what_a_role_may_not_do_is_not_shown_and_refused_when_tried(pages: Pages, role: str):
    page = pages.see(URL, role)
    assert page.all("h2", id="actions") == []
    assert [form["action"] for form in page.all("form", method="post")] == ["/console/logout"]
    before = (dict(pages.book.states), dict(pages.store.records))
    for button in ("sync", "set_breaker", "set_switch"):
        answer = pages.post(URL, role, **{button: "1", "breaker": "closed", "enabled": "off"})
        assert (answer.status_code, answer.mimetype) == (403, "text/html")
        assert "You may not do this" in answer.text
    assert before == (pages.book.states, pages.store.records)


def test_an_admin_asks_for_a_sync(pages: Pages):
    answer = pages.post("/console/sources/depot", sync="Sync now", force="y")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/sources/depot?done=sync")
    assert [record.force for record in pages.store.records.values() if record.requested_at and record.source == "depot"] == [
        True
    ]
    assert "The sync is asked for" in pages.see(answer.headers["Location"], "admin").text
    assert "asked for" in pages.see("/console/sources/depot", "admin").text


def test_an_admin_sets_the_breaker(pages: Pages):
    assert pages.post(URL, set_breaker="1", breaker="forced_open").headers["Location"] == f"{URL}?done=breaker"
    assert pages.book.read("lumen").mode is BreakerMode.FORCED_OPEN
    page = pages.see(URL, "admin")
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["forced_open", "settings"]
    assert "decided by a person" in page.text


@pytest.mark.parametrize(("word", "enabled"), [("on", True), ("off", False), ("settings", None)])
def test_an_admin_sets_the_switch(pages: Pages, word: str, *, enabled: bool | None):
    pages.book.states["lumen"] = GuardState(enabled=not enabled)
    assert pages.post(URL, set_switch="1", enabled=word).headers["Location"] == f"{URL}?done=switch"
    assert pages.book.read("lumen").enabled is enabled


def test_no_sync_of_what_is_switched_off(pages: Pages):
    pages.book.states["depot"] = GuardState(enabled=False)
    answer = pages.post("/console/sources/depot", sync="1")
    assert answer.status_code == 409
    assert "This source was switched off" in answer.text
    assert not any(record.requested_at and record.source == "depot" for record in pages.store.records.values())


@pytest.mark.parametrize("data", [{}, {"set_breaker": "1", "breaker": "ajar"}, {"set_switch": "1", "enabled": "maybe"}])
def test_a_form_that_says_nothing_right_changes_nothing(pages: Pages, data: dict[str, str]):
    before = dict(pages.book.states)
    answer = pages.post(URL, **data)
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert ("Not a valid choice" in answer.text) is bool(data)
    assert pages.book.states == before


def test_a_source_nobody_knows_is_changed_by_nobody(pages: Pages):
    assert pages.post("/console/sources/nobody", sync="1").status_code == 404


def test_a_product_of_it_is_one_step_away(pages: Pages):
    put_snapshot(pages.store, "lumen", [make_product(1, "lumen"), replace(make_product(2, "lumen"))])
    assert "/console/products?source=lumen" in {link["href"] for link in pages.see(URL, "reader").all("a")}
