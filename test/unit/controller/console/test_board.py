from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from main.service.model import Resolution, TaskKind, TaskStatus
from test.fakes import make_task

if TYPE_CHECKING:
    from test.unit.controller.console.pages import Pages

URL = "/console/tasks"


def fill(pages: Pages) -> None:
    """Four more tasks beside the first."""
    for task in (
        make_task("Ask for a picture", priority=1, product="lumen:7001", assignee="ben", kind=TaskKind.MISSING_IMAGE),
        make_task("Wait", status=TaskStatus.DOING, priority=2),
        make_task("Long ago", status=TaskStatus.DONE, resolution=Resolution.FIXED),
        make_task("Never", status=TaskStatus.DONE, resolution=Resolution.WONT_FIX),
    ):
        pages.tasks.add(task)


def titles(pages: Pages, query: str = "", role: str = "reader") -> list[str]:
    page = pages.see(URL + query, role)
    links = [link["href"] for link in page.all("a") if str(link["href"]).startswith(f"{URL}/")]
    return [pages.tasks.kept[int(str(link).rpartition("/")[2])].title for link in links]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Ask for a picture", "Wait", "Mend"]),
        ("?status=done", ["Long ago", "Never"]),
        ("?status=open&sort=-priority", ["Mend", "Ask for a picture"]),
        ("?q=picture", ["Ask for a picture"]),
        ("?kind=missing_image", ["Ask for a picture"]),
        ("?priority=2&priority=1", ["Ask for a picture", "Wait"]),
        ("?assignee=ben&product=lumen:7001&q=", ["Ask for a picture"]),
        ("?assignee=nobody", []),
        ("?per_page=1&page=2", ["Wait"]),
        ("?done=created", ["Ask for a picture", "Wait", "Mend"]),
    ],
)
def test_what_is_asked_for_is_shown_and_else_what_is_still_to_be_done_the_most_urgent_first(
    pages: Pages, query: str, found: list[str]
):
    fill(pages)
    assert titles(pages, query) == found


def test_what_was_chosen_stays_chosen(pages: Pages):
    page = pages.see(f"{URL}?status=done&kind=manual&q=lamp&assignee=ben&sort=title", "reader")
    assert [box["value"] for box in page.all("input", type="checkbox") if "checked" in box] == ["done", "manual"]
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["title"]
    assert [page.one("input", name=name)["value"] for name in ("q", "assignee")] == ["lamp", "ben"]


@pytest.mark.parametrize("query", ["status=odd", "priority=9", "sort=odd", "page=0", "odd=1", "q=a%00", "done=odd"])
def test_wrong_filters_are_told_and_nothing_is_listed(pages: Pages, query: str):
    page = pages.see(f"{URL}?{query}", "reader", 422)
    assert page.all("p", **{"class": "fault"}) != []
    assert page.all("ul", **{"class": "tasks"}) == []


def test_a_reader_sees_no_form_that_changes_something(pages: Pages):
    page = pages.see(URL, "reader")
    assert [form["action"] for form in page.all("form", method="post")] == ["/console/logout"]
    for button in ("create", "done", "drop", "reset"):
        assert pages.post(URL, "reader", **{button: "1", "title": "New"}).status_code == 403
    assert [task.title for task in pages.tasks.kept.values()] == ["Mend"]


def test_an_editor_makes_a_task(pages: Pages):
    sent = {"title": " New ", "short_description": "a\r\nb ", "priority": "2", "product": "lumen:7001", "assignee": ""}
    answer = pages.post(f"{URL}?q=x&page=3", "editor", create="1", **sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{URL}?q=x&done=created")
    made = pages.tasks.kept[2]
    assert (made.title, made.short_description, made.priority, made.product, made.assignee, made.created_by) == (
        "New",
        "a\nb",
        2,
        "lumen:7001",
        None,
        "editor",
    )
    assert "The task is made." in pages.see(f"{URL}?done=created", "editor").text


@pytest.mark.parametrize(
    ("box", "value", "told"),
    [
        ("title", "", "must be 1 to 200 characters"),
        ("title", "x" * 201, "must be 1 to 200 characters"),
        ("short_description", "x" * 2001, "must be at most 2000 characters"),
        ("priority", "6", "Not a valid choice"),
        ("priority", "x", "Not a valid choice"),
        ("product", "a\0b", "none a control character"),
    ],
)
def test_what_is_wrong_is_told_at_its_box_and_what_was_typed_stays(pages: Pages, box: str, value: str, told: str):
    sent = {"title": "New", "short_description": "Typed <b>", "priority": "2", "product": "", "assignee": "ada"}
    answer = pages.post(URL, "editor", **{"create": "1", **sent, box: value})
    assert answer.status_code == 422
    assert told in answer.text
    assert answer.text.count("Typed &lt;b&gt;") == (box != "short_description")
    assert 'value="ada"' in answer.text
    assert len(pages.tasks.kept) == 1


def test_a_new_task_about_a_product_begins_with_its_id(pages: Pages):
    page = pages.see(f"{URL}?product=lumen:7001", "editor")
    assert [box["value"] for box in page.all("input", name="product")] == ["lumen:7001", "lumen:7001"]
    assert pages.see(URL, "editor").all("input", name="product")[1]["value"] == ""


def test_one_press_closes_a_task_that_is_as_it_was_shown(pages: Pages):
    page = pages.see(URL, "editor")
    shown = {name: str(page.one("input", name=name)["value"]) for name in ("task", "version")}
    assert pages.post(URL, "editor", done="1", **shown).headers["Location"] == f"{URL}?done=finished"
    mended = pages.tasks.kept[1]
    assert (mended.status, mended.resolution, mended.updated_by) == (TaskStatus.DONE, Resolution.FIXED, "editor")
    assert "changed meanwhile" in pages.post(URL, "editor", done="1", **shown).text
    assert "is gone" in pages.post(URL, "editor", done="1", task="99", version="1").text
    assert "is gone" in pages.post(URL, "editor", done="1", task="x", version="").text


def test_tasks_of_a_title_are_dropped(pages: Pages):
    fill(pages)
    assert "no task of exactly this title" in pages.post(URL, "editor", drop="1", title="mend").text
    assert pages.post(URL, "editor", drop="1", title="").status_code == 422
    assert pages.post(URL, "editor", drop="1", title="Mend").headers["Location"] == f"{URL}?done=dropped"
    assert [task.title for task in pages.tasks.kept.values()] == ["Ask for a picture", "Wait", "Long ago", "Never"]


def test_only_an_admin_who_is_sure_resets_the_board(pages: Pages):
    assert 'name="reset"' not in pages.get(URL, "editor").text
    assert pages.post(URL, "editor", reset="1", sure="y").status_code == 403
    assert "Please tick the box first." in pages.post(URL, "admin", reset="1").text
    assert len(pages.tasks.kept) == 1
    assert pages.post(URL, "admin", reset="1", sure="y").headers["Location"] == f"{URL}?done=reset"
    assert (pages.tasks.kept, pages.tasks.last) == ({}, 0)


def test_a_form_of_nothing_that_is_known_changes_nothing(pages: Pages):
    assert pages.post(URL, "editor", odd="1").status_code == 422


def test_what_people_type_is_text(pages: Pages):
    pages.tasks.kept[1] = replace(
        pages.tasks.kept[1], title="<script>alert(1)</script>", product='"><img src=x>', assignee="<b>"
    )
    text = pages.get(URL, "editor").text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_board_that_is_away_is_told(pages: Pages):
    pages.tasks.down = True
    assert "Not available right now" in pages.see(URL, "reader", 503).text


@pytest.mark.parametrize("button", ["create", "done", "drop", "reset"])
def test_a_form_from_elsewhere_changes_nothing(pages: Pages, button: str):
    sent = {"title": "Mend", "task": "1", "version": "1", "sure": "y", "priority": "1"}
    assert pages.post(URL, "admin", **{**sent, button: "1", "csrf_token": "odd"}).status_code == 403
    assert [(task.title, task.version) for task in pages.tasks.kept.values()] == [("Mend", 1)]
