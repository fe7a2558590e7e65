from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from main.app import create_app
from main.service.model import Outcome, TaskKind, TaskStatus
from test.fakes import NOW, FakeClock, FakeDoor, MemoryCatalogue, make_product, make_report, make_task, put_snapshot
from test.unit.controller.console.pages import BROWSER, Pages, Parsed

if TYPE_CHECKING:
    from main.settings import Settings


def see_over(store: MemoryCatalogue, settings: Settings) -> Parsed:
    clock = FakeClock()
    clock.advance(60)
    client = create_app(settings, reader=store, board=store, clock=clock, door=FakeDoor()).test_client()
    answer = client.get("/", headers={**BROWSER, "Cookie": "token=reader-token"})
    assert answer.status_code == 200
    return Parsed(answer.text)


def test_each_source_is_told_with_a_picture_of_its_syncs(pages: Pages):
    page = pages.see("/", "reader")
    assert [link["href"] for link in page.all("a") if "/console/sources/" in (link["href"] or "")] == [
        f"/console/sources/{name}" for name in ("lumen", "depot", "parts")
    ]
    assert [picture["role"] for picture in page.all("svg")] == ["img"] * 3
    assert {picture["aria-label"] for picture in page.all("svg")} == {"The last sync: ok, 250 ms"}
    assert "3 products" in page.text


def test_a_failure_is_told_with_its_words_and_age(settings: Settings):
    store = MemoryCatalogue()
    put_snapshot(store, "lumen", [make_product(1, "lumen")])
    number = store.begin("lumen", make_report().started_at, force=False).id
    store.record(make_report("lumen", Outcome.FAILED, id=number, error_type="UpstreamTimeout", error="<b>No whole answer."))
    page = see_over(store, settings)
    assert "<b>No whole answer." in page.text
    assert page.all("b") == []
    assert "error" in page.text
    assert [picture["aria-label"].partition(";")[0] for picture in page.all("svg")] == [
        "The last 2 syncs: 1 ok, 1 failed",
        "No sync has ended yet",
        "No sync has ended yet",
    ]
    assert [bar["class"] for bar in page.all("rect")] == ["good", "bad"]
    assert "no snapshot" in page.text  # of the others


def test_without_sources_it_says_so(settings: Settings):
    assert "There is no source yet" in see_over(MemoryCatalogue(), replace(settings, sources=())).text


def test_a_history_is_read_again_only_when_there_is_news(pages: Pages):
    asked: list[str] = []
    read = pages.store.syncs
    pages.store.syncs = lambda name, *page: asked.append(name) or read(name, *page)

    def told() -> str:
        return str(pages.see("/", "reader").all("svg")[0]["aria-label"])

    assert told() == told() == "The last sync: ok, 250 ms"
    assert asked == ["lumen", "depot", "parts"]
    number = pages.store.begin("lumen", NOW, force=False).id
    assert told() == "The last sync: ok, 250 ms"
    pages.store.record(make_report("lumen", Outcome.FAILED, id=number))
    assert told() == "The last 2 syncs: 1 ok, 1 failed; 250 ms to 250 ms"
    assert asked[3:] == ["lumen", "lumen"]


def test_tasks_that_are_left_are_counted_by_kind_the_most_first(pages: Pages):
    for kind, status in [(TaskKind.MISMATCH, TaskStatus.OPEN)] * 2 + [(TaskKind.MISSING_IMAGE, TaskStatus.DONE)]:
        pages.tasks.add(make_task(kind=kind, status=status))
    page = pages.see("/", "reader")
    assert [link["href"] for link in page.all("a") if "kind=" in (link["href"] or "")] == [
        "/console/tasks?kind=mismatch",
        "/console/tasks?kind=manual",
    ]
    assert "same article, other brand: 2 by hand: 1" in page.text
    pages.tasks.kept.clear()
    assert "Nothing is to be done." in pages.see("/", "reader").text


def test_a_board_that_is_away_leaves_the_sources(pages: Pages):
    pages.tasks.down = True
    page = pages.see("/", "reader")
    assert "The task board does not answer now." in page.text
    assert len(page.all("svg")) == 3


def test_who_types_the_consoles_own_address_gets_there(pages: Pages):
    for url in ("/console", "/console/"):
        answer = pages.get(url)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
