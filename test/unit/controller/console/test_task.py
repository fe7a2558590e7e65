from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from main.service.model import Resolution, TaskStatus
from test.fakes import NOW

if TYPE_CHECKING:
    from test.unit.controller.console.pages import Pages

URL = "/console/tasks/1"
SENT = {
    "title": "Mend it",
    "short_description": "soon",
    "priority": "2",
    "status": "doing",
    "resolution": "",
    "product": "lumen:7001",
    "assignee": "ben",
    "version": "1",
    "change": "1",
}


def test_everything_about_a_task_is_shown(pages: Pages):
    task = pages.tasks.kept[1]
    pages.tasks.kept[1] = task.changed({"status": TaskStatus.DOING, "product": "lumen:7001"}, NOW, "ben")
    page = pages.see(URL, "reader")
    assert "status : open → doing" in page.text
    assert page.one("a", href="/console/products/lumen:7001")
    assert page.all("textarea") == []
    assert pages.see("/console/tasks/99", "reader", 404)
    assert pages.see(f"{URL}?odd=1", "reader", 422)
    assert pages.see("/console/tasks/x", "reader", 404)


def test_an_editor_changes_it(pages: Pages):
    answer = pages.post(URL, "editor", **SENT)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{URL}?done=saved")
    found = pages.tasks.kept[1]
    assert (found.title, found.short_description, found.priority, found.status) == ("Mend it", "soon", 2, TaskStatus.DOING)
    assert (found.product, found.assignee, found.version, found.updated_by) == ("lumen:7001", "ben", 2, "editor")
    page = pages.see(f"{URL}?done=saved", "editor")
    assert "The task is changed." in page.text
    assert [box["value"] for box in page.all("input", name="version")] == ["2", "2"]


def test_a_decision_never_to_mend_it_is_shown_as_one(pages: Pages):
    pages.post(URL, "editor", **{**SENT, "status": "done", "resolution": "wont_fix"})
    assert pages.tasks.kept[1].resolution is Resolution.WONT_FIX
    assert "won't fix" in pages.see(URL, "reader").text


@pytest.mark.parametrize(
    ("box", "value", "told"),
    [
        ("title", "", "must be 1 to 200 characters"),
        ("status", "odd", "Not a valid choice"),
        ("resolution", "fixed", "only a task with the status done has one"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(pages: Pages, box: str, value: str, told: str):
    answer = pages.post(URL, "editor", **{**SENT, box: value})
    assert (answer.status_code, told in answer.text, 'value="ben"' in answer.text) == (422, True, True)
    assert pages.tasks.kept[1].version == 1


@pytest.mark.parametrize("version", ["1", "x", "", "9" * 16])
def test_a_change_of_what_was_not_seen_is_a_choice(pages: Pages, version: str):
    pages.tasks.kept[1] = replace(pages.tasks.kept[1], title="Theirs", version=2)
    answer = pages.post(URL, "editor", **{**SENT, "version": version})
    assert (answer.status_code, "changed this task meanwhile" in answer.text) == (409, True)
    assert ("Theirs" in answer.text, 'value="Mend it"' in answer.text) == (True, True)
    assert pages.tasks.kept[1].title == "Theirs"
    assert 'name="version" type="hidden" value="2"' in answer.text
    assert pages.post(URL, "editor", **{**SENT, "version": "2"}).status_code == 303


def test_an_editor_drops_it_if_it_is_as_it_was_shown(pages: Pages):
    assert pages.post(URL, "editor", delete="1", version="7").status_code == 409
    assert pages.post(URL, "editor", delete="1", version="1", csrf_token="odd").status_code == 403
    assert 1 in pages.tasks.kept
    assert pages.post(URL, "editor", delete="1", version="1").headers["Location"] == "/console/tasks?done=deleted"
    assert pages.tasks.kept == {}
    assert pages.post(URL, "editor", **SENT).status_code == 404


def test_a_reader_changes_nothing(pages: Pages):
    assert pages.post(URL, "reader", **SENT).status_code == 403
    assert pages.tasks.kept[1].version == 1
