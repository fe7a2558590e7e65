from __future__ import annotations

import datetime as dt
from dataclasses import fields

from main.service.model import CHANGEABLE, HISTORY_LIMIT, FieldChange, Task, TaskStatus
from test.fakes import NOW, make_task

LATER = NOW + dt.timedelta(hours=1)


def test_a_change_is_one_version_further_and_in_the_history():
    task = make_task(id=4, assignee="ada")
    changed = task.changed({"assignee": None, "status": TaskStatus.DOING, "priority": 3}, LATER, "ben")
    assert (changed.id, changed.version, changed.updated_at, changed.updated_by) == (4, 2, LATER, "ben")
    assert (changed.created_at, changed.created_by) == (NOW, "ada")
    [step] = changed.history
    assert (step.version, step.at, step.by) == (2, LATER, "ben")
    assert step.changes == (FieldChange("status", "open", "doing"), FieldChange("assignee", "ada", None))


def test_what_changes_nothing_is_the_same_task():
    task = make_task()
    assert task.changed({"title": task.title, "product": None}, LATER, "ben") is task
    assert task.changed({}, LATER, "ben") is task


def test_only_what_may_change_changes():
    task = make_task()
    assert task.changed({"id": 9, "cause": "x", "created_by": "eve"}, LATER, "eve") is task
    assert {field.name for field in fields(Task)} - set(CHANGEABLE) == {
        *("id", "kind", "cause", "version", "history"),
        *("created_at", "created_by", "updated_at", "updated_by"),
    }


def test_of_a_long_history_the_newest_steps_are_kept():
    task = make_task()
    for number in range(HISTORY_LIMIT + 3):
        task = task.changed({"title": str(number)}, LATER, "ben")
    assert (len(task.history), task.history[0].version, task.history[-1].version) == (HISTORY_LIMIT, 5, HISTORY_LIMIT + 4)
