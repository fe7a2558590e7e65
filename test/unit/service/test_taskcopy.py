from __future__ import annotations

import pytest

from main.service.errors import CopyRefused, StoreDown
from main.service.taskcopy import Copied, TaskCopy
from test.fakes import NOW, MemoryTasks, make_task


def board(count=7):
    """A store in which some tasks have histories and some numbers are gone."""
    store = MemoryTasks()
    for number in range(1, count + 1):
        made = store.add(make_task(f"task {number}", cause=f"mismatch:{number}" if number % 2 else None))
        store.replace(made.changed({"assignee": "ben"}, NOW, "ben") if number % 3 else made, 1)
    store.delete(2, 2)
    store.delete(count, store.kept[count].version)
    return store


@pytest.fixture
def source():
    return board()


@pytest.fixture
def target():
    return MemoryTasks()


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_everything_is_copied_with_numbers_histories_and_the_counter(source, target, batch):
    told = []
    assert TaskCopy(source, target, batch=batch).run(told.append) == Copied(tasks=5, copied=5, last=7)
    assert (target.kept, target.last) == (source.kept, 7)
    assert told[-1] == 5
    assert target.add(make_task()).id == 8


def test_an_empty_board_gives_its_counter_on(target):
    source = MemoryTasks(last=4)
    assert TaskCopy(source, target).run() == Copied(0, 0, 4)
    assert target.last == 4


def test_copying_again_copies_what_is_missing(source, target):
    TaskCopy(source, target, batch=2).run()
    source.add(make_task("new"))
    assert TaskCopy(source, target, batch=2).run() == Copied(6, 1, 8)
    assert TaskCopy(source, target, batch=2).run() == Copied(6, 0, 8)
    assert target.kept == source.kept


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_one_that_was_broken_off_goes_on_where_it_was(source, target, steps, monkeypatch):
    left, load = [steps], target.load

    def break_off(tasks, last):
        if not left[0]:
            raise StoreDown
        left[0] -= 1
        load(tasks, last)

    with monkeypatch.context() as patched:
        patched.setattr(target, "load", break_off)
        with pytest.raises(StoreDown):
            TaskCopy(source, target, batch=2).run()
    assert len(target.kept) == 2 * steps
    assert TaskCopy(source, target, batch=2).run().copied == 5 - 2 * steps
    assert (target.kept, target.last) == (source.kept, source.last)


@pytest.mark.parametrize("batch", [2, 100])
def test_a_target_that_holds_another_board_is_left_as_it_was(source, target, batch):
    target.load([source.kept[1], make_task("other", id=4)], 4)
    before = dict(target.kept)
    with pytest.raises(CopyRefused, match="Task 4 is another one in the target than in the source; nothing was copied"):
        TaskCopy(source, target, batch=batch).run()
    assert target.kept == before


@pytest.mark.parametrize("number", [2, 7])
def test_a_target_with_a_task_that_the_source_has_no_more_is_refused(source, target, number):
    target.load([make_task("dropped", id=number)], number)
    with pytest.raises(CopyRefused, match=f"Task {number}"):
        TaskCopy(source, target).run()


def test_a_target_that_was_counted_further_is_refused(source, target):
    target.last = 8
    with pytest.raises(CopyRefused, match="numbers up to 8, the source only up to 7; nothing was copied"):
        TaskCopy(source, target).run()
    assert target.kept == {}


def test_a_source_that_grows_meanwhile_is_told(source, target):
    with pytest.raises(CopyRefused, match="The source has 6 tasks and the target 5: somebody is writing"):
        TaskCopy(source, target).run(lambda _: source.kept.update({2: make_task(id=2)}))


def test_a_task_that_changes_meanwhile_is_told(source, target):
    def change(_):
        source.kept[5] = make_task("other", id=5, version=9)

    with pytest.raises(CopyRefused, match="Task 5 was changed meanwhile"):
        TaskCopy(source, target).run(change)
