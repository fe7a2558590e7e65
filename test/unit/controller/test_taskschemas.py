from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from main.controller.taskschemas import (
    ListedTaskSchema,
    TaskChangeSchema,
    TaskDraftSchema,
    TaskDropSchema,
    TaskQuerySchema,
    TaskSchema,
)
from main.service.model import CHANGEABLE, Resolution, TaskDraft, TaskKind, TaskQuery, TaskStatus
from test.fakes import NOW, make_task
from test.unit.controller.documented import find_faults


def test_a_draft_has_plain_words_made_into_ours():
    given = {"title": "Mend", "kind": "mismatch", "status": "doing", "priority": 5, "assignee": None}
    assert TaskDraftSchema().load(given) == TaskDraft(title="Mend", kind=TaskKind.MISMATCH, status=TaskStatus.DOING, priority=5)
    assert TaskDraftSchema().load({"title": "Mend"}) == TaskDraft(title="Mend")


def test_a_change_has_only_what_was_named():
    found = TaskChangeSchema().load({"status": "done", "resolution": "wont_fix", "product": None})
    assert found == {"status": TaskStatus.DONE, "resolution": Resolution.WONT_FIX, "product": None}
    assert TaskChangeSchema().load({"resolution": None}) == {"resolution": None}


def test_all_that_may_change_can_be_asked_for():
    assert set(TaskChangeSchema().fields) == set(CHANGEABLE)


@pytest.mark.parametrize("text", ["Größe\u202e x", "a\N{PILE OF POO}", "<script>", "x" * 200])
def test_a_title_may_be_any_printed_line(text: str):
    assert TaskDraftSchema().load({"title": text}).title == text


@pytest.mark.parametrize("text", ["\tx", "a\x7f", "a\x85b", "a\nb", "\xa0x"])
def test_a_title_is_one_line_that_can_be_seen(text: str):
    with pytest.raises(ValidationError):
        TaskDraftSchema().load({"title": text})


@pytest.mark.parametrize("text", ["", "a\nb\r\n\tc", "x" * 2000])
def test_a_description_may_have_lines_and_tabs(text: str):
    assert TaskDraftSchema().load({"title": "x", "short_description": text}).short_description == text


def test_two_questions_that_mean_the_same_are_equal():
    first = TaskQuerySchema().load({"q": " b  a b ", "status": ["done,open"], "priority": ["2", "1"], "product": ["x", "x"]})
    second = TaskQuerySchema().load({"q": "a b", "status": ["OPEN", "done"], "priority": ["1,2"], "product": ["x"]})
    assert first == second
    assert first == TaskQuery(words=("a", "b"), status=("done", "open"), priority=(1, 2), product=("x",))
    assert TaskQuerySchema().load({}) == TaskQuery()


def test_a_title_to_drop_may_be_any_that_an_old_task_has():
    assert TaskDropSchema().load({"title": " x"}) == {"title": " x"}
    assert TaskDropSchema().load({}) == {"title": None}


@pytest.mark.parametrize("schema", [TaskSchema(), ListedTaskSchema()], ids=["Task", "ListedTask"])
def test_a_task_is_shown_as_it_is_documented(schema: Any):
    task = make_task(id=1).changed({"status": TaskStatus.DONE, "resolution": Resolution.FIXED}, NOW, "ben")
    for each in (make_task(id=2), task):
        shown = schema.dump(each)
        assert find_faults({"$ref": f"#/definitions/{type(schema).__name__.removesuffix('Schema')}"}, shown) == []
    assert shown["status"] == "done"
    assert ("history" in shown) is isinstance(schema, TaskSchema)
