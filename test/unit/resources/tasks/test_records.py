from __future__ import annotations

import datetime as dt

import pytest

from main.resources.tasks.records import from_record, split_sort, to_record
from main.service.model import TASK_SORTS, Resolution, TaskStatus
from test.fakes import NOW, make_task


def test_a_task_comes_back_with_its_history():
    task = make_task(id=3, cause="mismatch:1", created_at=dt.datetime.fromtimestamp(0, dt.UTC))
    changed = task.changed({"status": TaskStatus.DONE, "resolution": Resolution.WONT_FIX, "assignee": "ben"}, NOW, "ben")
    closed = changed.changed({"status": TaskStatus.OPEN, "resolution": None}, NOW, "aisle", "It is found again.")
    for each in (task, changed, closed):
        assert from_record(to_record(each)) == each
    assert [step.reason for step in closed.history] == [None, "It is found again."]


def test_without_its_history_a_task_has_none():
    record = to_record(make_task(id=3).changed({"title": "x"}, NOW, "ben"))
    del record["history"]
    assert from_record(record).history == ()


def test_what_is_looked_through_is_folded():
    record = to_record(make_task("Straße ÄB", short_description="Zeile\nZwei"))
    assert (record["title_key"], record["text_key"]) == ("strasse äb", "strasse äb\nzeile\nzwei")


@pytest.mark.parametrize("sort", TASK_SORTS)
def test_every_order_has_what_it_sorts_by(sort):
    name, falls = split_sort(sort)
    assert name in to_record(make_task())
    assert falls is sort.startswith("-")
