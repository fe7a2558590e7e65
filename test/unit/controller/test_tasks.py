from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from main.app import create_app
from main.service.errors import StoreDown
from main.service.model import HISTORY_LIMIT
from test.fakes import FakeClock, FakeDoor, MemoryCatalogue, MemoryTasks, as_admin
from test.unit.controller.documented import assert_as_documented

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from main.settings import Settings

LIST, ITEM = "/tasks", "/tasks/{task_id}"
PREFIXED = {"X-Forwarded-Prefix": "/service/aisle"}
LINE = "characters, the first no blank, none a control character"


class Board:
    """The application over tasks in memory, asked by an editor unless another token is given."""

    def __init__(self, settings: Settings) -> None:
        self.store, self.clock = MemoryTasks(), FakeClock()
        parts = {"reader": MemoryCatalogue(), "tasks": self.store, "clock": self.clock, "door": FakeDoor()}
        self.app = create_app(settings, **parts)
        self.document = as_admin(self.app.test_client()).get("/swagger.json").json

    def ask(self, method: str, url: str, token: str = "editor", match: str | None = None, **given: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}-token", **given.pop("headers", {})}
        if match is not None:
            headers["If-Match"] = match
        answer = self.app.test_client(use_cookies=False).open(url, method=method.upper(), headers=headers, **given)
        path = LIST if url.partition("?")[0] == LIST else ITEM
        assert_as_documented(self.document, path, answer, method)
        return answer

    def make(self, title: str = "Mend the lamp", **given: Any) -> Any:
        answer = self.ask("post", LIST, json={"title": title, **given})
        assert answer.status_code == 201, answer.text
        return answer.json


@pytest.fixture
def board(settings: Settings) -> Board:
    return Board(settings)


def test_a_task_is_made_under_the_next_number_and_can_be_read_at_its_location(board: Board):
    given = {"title": "Mend <it>", "short_description": "a\nb", "priority": 1, "product": "lumen:7001", "assignee": "ben"}
    answer = board.ask("post", LIST, json=given)
    assert (answer.status_code, answer.headers["Location"], answer.headers["ETag"]) == (201, "/tasks/1", '"1"')
    when = {"created_at": "2026-03-01T12:00:00.000Z", "updated_at": "2026-03-01T12:00:00.000Z"}
    who = {"created_by": "editor", "updated_by": "editor"}
    more = {"status": "open", "resolution": None, "kind": "manual", "cause": None, "version": 1, "history": []}
    assert answer.json == {"id": 1, **given, **when, **who, **more}
    read = board.ask("get", answer.headers["Location"], "reader")
    assert (read.json, read.headers["ETag"]) == (answer.json, '"1"')
    assert board.make()["id"] == 2


def test_the_location_is_under_the_prefix_the_caller_sees(board: Board):
    answer = board.ask("post", LIST, json={"title": "x"}, headers=PREFIXED)
    assert answer.headers["Location"] == "/service/aisle/tasks/1"


def test_a_task_that_is_asked_for_twice_with_one_key_is_made_once(board: Board):
    key = {"Idempotency-Key": '"once"'}
    first, second = (board.ask("post", LIST, json={"title": "x"}, headers=key) for _ in range(2))
    assert (second.status_code, second.json, second.headers["Location"]) == (201, first.json, "/tasks/1")
    assert board.store.count() == 1


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({}, "title", "Missing data for required field."),
        ({"title": ""}, "title", f"must be 1 to 200 {LINE}"),
        ({"title": " x"}, "title", f"must be 1 to 200 {LINE}"),
        ({"title": "x\n"}, "title", f"must be 1 to 200 {LINE}"),
        ({"title": "x" * 201}, "title", f"must be 1 to 200 {LINE}"),
        ({"title": None}, "title", f"must be 1 to 200 {LINE}"),
        ({"title": 5}, "title", f"must be 1 to 200 {LINE}"),
        ({"assignee": "x" * 101}, "assignee", f"must be 1 to 100 {LINE}, or null"),
        ({"product": ""}, "product", f"must be 1 to 200 {LINE}, or null"),
        (
            {"short_description": "x\0"},
            "short_description",
            "must be at most 2000 characters, none a control character but tabs and ends of lines",
        ),
        (
            {"short_description": "x" * 2001},
            "short_description",
            "must be at most 2000 characters, none a control character but tabs and ends of lines",
        ),
        ({"priority": 0}, "priority", "must be a whole number from 1 to 5"),
        ({"priority": 6}, "priority", "must be a whole number from 1 to 5"),
        ({"priority": 1.5}, "priority", "must be a whole number from 1 to 5"),
        ({"priority": True}, "priority", "must be a whole number from 1 to 5"),
        ({"priority": "1"}, "priority", "must be a whole number from 1 to 5"),
        ({"priority": None}, "priority", "must be a whole number from 1 to 5"),
        ({"status": "closed"}, "status", "must be one of: open, doing, done"),
        ({"status": None}, "status", "must be one of: open, doing, done"),
        (
            {"kind": "x"},
            "kind",
            "must be one of: manual, quarantine, price_spread, missing_image, missing_description, mismatch, stale_source",
        ),
        (
            {"id": 5},
            "id",
            "is unknown; there is: title, short_description, priority, status, kind, product, assignee",
        ),
    ],
)
def test_a_task_that_makes_no_sense_is_refused_and_the_field_named(board: Board, given: Any, field: str, message: str):
    body = given if field == "title" else {"title": "x", **given}
    answer = board.ask("post", LIST, json=body)
    assert (answer.status_code, answer.json["errors"]) == (422, {field: [message]})
    assert (board.store.count(), board.store.last_number()) == (0, 0)


def test_a_figure_that_is_whole_counts_as_a_whole_number(board: Board):
    assert board.make(priority=2.0)["priority"] == 2


def test_tasks_are_listed_filtered_sorted_and_paged_without_their_histories(board: Board):
    for number in range(5):
        board.make(f"task {number}", priority=1 + number % 2, assignee="ada" if number else None)
    page = board.ask("get", "/tasks?priority=1&sort=-id&per_page=2", "reader")
    assert [task["title"] for task in page.json["data"]] == ["task 4", "task 2"]
    assert (page.json["total"], page.json["pages"], page.headers["X-Total-Count"]) == (3, 2, "3")
    assert 'rel="next"' in page.headers["Link"]
    assert "history" not in page.json["data"][0]
    assert board.ask("get", "/tasks?assignee=ada&q=TASK%203&status=open,doing&kind=manual").json["total"] == 1
    assert board.ask("get", "/tasks?product=lumen:1&product=lumen:2").json["total"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=closed", "status"), ("priority=6", "priority"), ("sort=due", "sort"), ("q=%00", "q"), ("page=0", "page")],
)
def test_a_wrong_question_is_refused_and_the_parameter_named(board: Board, query: str, field: str):
    answer = board.ask("get", f"/tasks?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_an_unknown_parameter_is_told_which_there_are(board: Board):
    answer = board.ask("get", "/tasks?colour=red")
    known = "page, per_page, status, priority, kind, product, assignee, q, sort"
    assert sorted(answer.json["errors"]["colour"][0].partition("there is: ")[2].split(", ")) == sorted(known.split(", "))


def test_a_task_is_changed_and_its_history_tells_how(board: Board):
    board.make(assignee="ada")
    board.clock.advance(60)
    answer = board.ask("patch", "/tasks/1", match='"1"', json={"status": "done", "assignee": None, "title": "Mend the lamp"})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert {name: answer.json[name] for name in ("status", "resolution", "assignee", "version")} == {
        "status": "done",
        "resolution": "fixed",
        "assignee": None,
        "version": 2,
    }
    [step] = answer.json["history"]
    assert (step["version"], step["at"], step["by"], step["reason"]) == (2, "2026-03-01T12:01:00.000Z", "editor", None)
    assert step["changes"] == [
        {"field": "status", "before": "open", "after": "done"},
        {"field": "resolution", "before": None, "after": "fixed"},
        {"field": "assignee", "before": "ada", "after": None},
    ]
    assert board.ask("get", "/tasks/1").json == answer.json


def test_a_task_that_will_not_be_mended_says_so_until_it_is_opened_again(board: Board):
    board.make()
    closed = board.ask("patch", "/tasks/1", match='"1"', json={"status": "done", "resolution": "wont_fix"}).json
    assert (closed["status"], closed["resolution"]) == ("done", "wont_fix")
    renamed = board.ask("patch", "/tasks/1", match='"2"', json={"title": "Other"}).json
    assert (renamed["status"], renamed["resolution"]) == ("done", "wont_fix")
    opened = board.ask("patch", "/tasks/1", match='"3"', json={"status": "doing"}).json
    assert (opened["status"], opened["resolution"]) == ("doing", None)
    refused = board.ask("patch", "/tasks/1", match='"4"', json={"resolution": "wont_fix"})
    assert (refused.status_code, refused.json["errors"]) == (422, {"resolution": ["only a task with the status done has one"]})


def test_a_change_that_changes_nothing_makes_no_version(board: Board):
    made = board.make()
    answer = board.ask("patch", "/tasks/1", match='"1"', json={"title": made["title"], "priority": 3})
    assert (answer.json, answer.headers["ETag"]) == (made, '"1"')


@pytest.mark.parametrize("body", [{}, {"kind": "manual"}, {"version": 1}, {"created_by": "x"}])
def test_a_change_of_nothing_or_of_what_cannot_change_is_refused(board: Board, body: Any):
    board.make()
    assert board.ask("patch", "/tasks/1", match='"1"', json=body).status_code == 422
    assert board.store.get(1).version == 1


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_what_was_not_seen_is_neither_changed_nor_dropped(board: Board, method: str):
    made = board.make()
    body = {"json": {"title": "mine"}} if method == "patch" else {}
    missing = board.ask(method, "/tasks/1", **body)
    assert (missing.status_code, missing.json["detail"]) == (
        428,
        "This takes If-Match with the ETag of what you have seen, so that nobody's change is lost; * changes it whatever it is now.",
    )
    board.ask("patch", "/tasks/1", match='"1"', json={"title": "theirs"})
    for match in ('"1"', '"3"', '"x"', "", '"01"', '"1", "9"', '"9999999999999999999999"'):
        answer = board.ask(method, "/tasks/1", match=match, **body)
        assert (answer.status_code, "it has version 2 now" in answer.json["detail"]) == (412, True), match
    assert board.ask("get", "/tasks/1").json["title"] == "theirs" != made["title"]


@pytest.mark.parametrize("match", ['"2"', "2", 'W/"2"', '"1", "2"', "*"])
def test_the_seen_version_may_be_said_in_any_way_that_if_match_has(board: Board, match: str):
    board.make()
    board.ask("patch", "/tasks/1", match='"1"', json={"title": "two"})
    assert board.ask("patch", "/tasks/1", match=match, json={"title": "three"}).json["version"] == 3
    assert board.ask("delete", "/tasks/1", match='"3"').status_code == 204
    assert board.ask("get", "/tasks/1").status_code == 404


def test_whoever_has_the_task_already_is_told_that_nothing_changed(board: Board):
    board.make()
    same = board.ask("get", "/tasks/1", headers={"If-None-Match": '"1"'})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", '"1"')
    assert board.ask("get", "/tasks/1", headers={"If-None-Match": '"2"'}).status_code == 200


@pytest.mark.parametrize("number", ["0", "7", "9007199254740993", "9" * 40])
def test_a_task_that_is_not_there_is_404(board: Board, number: str):
    board.make()
    assert board.ask("get", f"/tasks/{number}").status_code == 404
    assert board.ask("patch", f"/tasks/{number}", match="*", json={"title": "x"}).status_code == 404
    assert board.ask("delete", f"/tasks/{number}", match="*").status_code == 404


def test_an_admin_drops_all_tasks_and_numbers_start_anew(board: Board):
    board.make()
    board.make()
    refused = board.ask("delete", LIST)
    assert (refused.status_code, board.store.count()) == (403, 2)
    done = board.ask("delete", LIST, "admin")
    assert (done.status_code, done.json) == (200, {"deleted": 2})
    assert board.make()["id"] == 1


def test_an_editor_drops_tasks_by_their_title(board: Board):
    for title in ("a&b", "a", "a&b"):
        board.make(title)
    assert board.ask("delete", "/tasks?title=a%26b").json == {"deleted": 2}
    assert board.ask("delete", "/tasks?title=a%26b").status_code == 404
    assert board.ask("delete", "/tasks?title=").status_code == 404
    assert board.ask("delete", "/tasks?titel=a", "admin").status_code == 422
    assert [task.title for task in board.store.kept.values()] == ["a"]


def test_readers_read_and_nothing_else(board: Board):
    board.make()
    for method, url, given in (
        ("post", LIST, {"json": {"title": "x"}}),
        ("patch", "/tasks/1", {"json": {"title": "x"}, "match": "*"}),
        ("delete", "/tasks/1", {"match": "*"}),
        ("delete", LIST, {}),
        ("delete", "/tasks?title=x", {}),
    ):
        assert board.ask(method, url, "reader", **given).status_code == 403
    assert board.ask("get", "/tasks", "reader").json["total"] == 1


def test_a_store_that_is_down_is_503_and_the_catalogue_is_served_all_the_same(board: Board):
    board.store.down = True
    answer = board.ask("get", LIST)
    assert (answer.status_code, answer.json["detail"]) == (503, str(StoreDown()))
    assert board.ask("post", LIST, json={"title": "x"}).status_code == 503
    assert as_admin(board.app.test_client()).get("/sources").status_code == 200


def test_the_document_tells_how_long_a_history_is_kept(board: Board):
    assert f"at most the last {HISTORY_LIMIT}" in board.document["definitions"]["Task"]["properties"]["history"]["description"]
