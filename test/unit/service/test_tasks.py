from __future__ import annotations

import datetime as dt

import pytest

from main.service.errors import InvalidQuery, NotFound, Outdated, StoreDown
from main.service.model import Resolution, TaskDraft, TaskKind, TaskQuery, TaskStatus
from main.service.tasks import TaskService
from test.fakes import NOW, FakeClock, MemoryTasks, make_task

ANY = None


class BusyTasks(MemoryTasks):
    """A store in which somebody else changes a task just before each of the next ``rushes`` writes to it."""

    rushes = 0

    def replace(self, task, expected):
        self._rush(task.id)
        return super().replace(task, expected)

    def delete(self, task_id, expected):
        self._rush(task_id)
        return super().delete(task_id, expected)

    def _rush(self, task_id):
        if self.rushes:
            self.rushes -= 1
            seen = self.kept[task_id]
            self.kept[task_id] = seen.changed({"assignee": f"rusher {seen.version}"}, NOW, "rusher")


@pytest.fixture
def kept():
    return BusyTasks()


@pytest.fixture
def service(kept, clock):
    return TaskService(kept, clock)


@pytest.fixture
def task(service):
    return service.create(TaskDraft(title="Mend"), "ada")


def test_a_task_is_made_as_it_was_asked_for_to_the_millisecond(kept):
    clock = FakeClock(NOW + dt.timedelta(microseconds=7_654))
    given = {"title": "Mend", "short_description": "a", "priority": 1, "kind": TaskKind.MISMATCH, "product": "acme:1"}
    made = TaskService(kept, clock).create(TaskDraft(**given, assignee="ben", status=TaskStatus.DOING), "ada")
    moment = NOW + dt.timedelta(milliseconds=7)
    assert made == make_task(
        id=1, **given, assignee="ben", status=TaskStatus.DOING, created_at=moment, updated_at=moment, version=1
    )
    assert kept.get(1) == made


def test_a_task_that_is_done_from_the_start_counts_as_fixed(service):
    assert service.create(TaskDraft(title="Mend", status=TaskStatus.DONE), "ada").resolution is Resolution.FIXED


def test_tasks_are_found_by_query_and_by_number(service, task):
    assert service.find(TaskQuery()) == ([task], 1)
    assert service.get(task.id) == task


@pytest.mark.parametrize("number", [0, -1, 2, 2**53 + 1, 10**30])
def test_a_number_that_nothing_has_is_not_found(service, task, number):
    for call in (
        lambda: service.get(number),
        lambda: service.change(number, {"title": "x"}, ANY, "ben"),
        lambda: service.delete(number, ANY),
    ):
        with pytest.raises(NotFound, match="There is no task"):
            call()


def test_a_change_needs_the_version_that_is_there(service, kept, task):
    with pytest.raises(Outdated, match="it has version 1 now") as caught:
        service.change(1, {"title": "x"}, {2, 3}, "ben")
    assert caught.value.version == 1
    with pytest.raises(Outdated):
        service.delete(1, set())
    assert kept.get(1) == task
    assert service.change(1, {"title": "x"}, {7, 1}, "ben").version == 2
    service.delete(1, {2})
    assert kept.count() == 0


def test_whoever_is_overtaken_while_changing_is_told_and_changes_nothing(service, kept, task):
    kept.rushes = 1
    with pytest.raises(Outdated, match="version 2 now"):
        service.change(1, {"title": "x"}, {1}, "ben")
    kept.rushes = 1
    with pytest.raises(Outdated, match="version 3 now"):
        service.delete(1, {2})
    assert (kept.get(1).title, kept.get(1).assignee) == ("Mend", "rusher 2")


def test_whoever_takes_any_version_changes_the_newest_however_often_that_is_another(service, kept, task):
    kept.rushes = 3
    changed = service.change(1, {"title": "x"}, ANY, "ben")
    assert (changed.title, changed.assignee, changed.version) == ("x", "rusher 3", 5)
    kept.rushes = 2
    service.delete(1, ANY)
    assert kept.count() == 0


@pytest.mark.parametrize(
    ("before", "values", "status", "resolution"),
    [
        ({}, {"status": "done"}, "done", "fixed"),
        ({}, {"status": "done", "resolution": "wont_fix"}, "done", "wont_fix"),
        ({}, {"status": "done", "resolution": None}, "done", "fixed"),
        ({}, {"status": "doing"}, "doing", None),
        ({"status": "done", "resolution": "wont_fix"}, {"title": "x"}, "done", "wont_fix"),
        ({"status": "done", "resolution": "wont_fix"}, {"resolution": "fixed"}, "done", "fixed"),
        ({"status": "done", "resolution": "wont_fix"}, {"status": "open"}, "open", None),
    ],
)
def test_a_resolution_follows_the_status(service, task, before, values, status, resolution):
    if before:
        service.change(1, before, ANY, "ben")
    changed = service.change(1, values, ANY, "ben")
    assert (changed.status, changed.resolution) == (status, resolution)


@pytest.mark.parametrize("values", [{"resolution": "fixed"}, {"status": "doing", "resolution": "wont_fix"}])
def test_a_resolution_without_an_end_is_refused(service, kept, task, values):
    with pytest.raises(InvalidQuery) as caught:
        service.change(1, values, ANY, "ben")
    assert caught.value.errors == {"resolution": ["only a task with the status done has one"]}
    assert kept.get(1) == task


def test_a_change_that_changes_nothing_is_not_written(service, kept, task):
    kept.rushes = 1
    assert service.change(1, {"title": "Mend"}, {1}, "ben") is kept.get(1)
    assert kept.rushes == 1


def test_tasks_are_dropped_by_title_and_all_at_once(service):
    for title in ("a", "b", "a"):
        service.create(TaskDraft(title=title), "ada")
    assert service.delete_titled("a") == 2
    with pytest.raises(NotFound):
        service.delete_titled("a")
    assert service.reset() == 1
    assert service.create(TaskDraft(title="c"), "ada").id == 1


def test_what_happens_to_tasks_is_logged_without_their_texts(service, log_lines):
    service.create(TaskDraft(title="secret plan"), "ada")
    service.change(1, {"title": "other secret"}, ANY, "ben")
    service.delete(1, ANY)
    service.reset()
    lines = log_lines()
    assert [line["event"] for line in lines] == ["task.created", "task.changed", "task.deleted", "task.reset"]
    assert "secret" not in str(lines)


def test_a_store_that_is_down_is_told(service, kept):
    kept.down = True
    with pytest.raises(StoreDown):
        service.find(TaskQuery())


def test_what_is_left_is_counted_by_kind(service, task):
    service.create(TaskDraft(title="Other", kind=TaskKind.MISMATCH), "ada")
    service.change(task.id, {"status": TaskStatus.DONE}, ANY, "ada")
    assert dict(service.left_by_kind()) == {TaskKind.MISMATCH: 1}
