"""Carries a board from one store to another: every task with its number and history, and the last number that was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.service.errors import CopyRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from main.service.model import Task
    from main.service.ports.tasks import TaskStore

BATCH = 200
_WHAT_NOW = "Empty the target, or copy into another one"
_ANOTHER = f"is another one in the target than in the source; nothing was copied. {_WHAT_NOW}."


@dataclass(frozen=True, slots=True)
class Copied:
    """What both stores have in the end: so many tasks, of which this run copied some, and the last number that was given."""

    tasks: int
    copied: int
    last: int


class TaskCopy:
    """Copies in steps that each are kept: one that was broken off goes on where it was when it is run again."""

    def __init__(self, source: TaskStore, target: TaskStore, *, batch: int = BATCH) -> None:
        self._source = source
        self._target = target
        self._batch = batch

    def run(self, tell: Callable[[int], None] = lambda _: None) -> Copied:
        """Copy what the target lacks, compare every task of both in the end, and count them; ``tell`` is told how many so far.

        Raises:
            CopyRefused: the target holds something else than a part of the source, or one of them was changed meanwhile.
            StoreDown: one of the stores does not answer.
        """
        known = self._check_target()
        copied = 0
        for tasks in self._walk(self._source):
            missing = [task for task in tasks if task.id not in known]
            self._target.load(missing, tasks[-1].id)
            copied += len(missing)
            tell(copied)
        last = self._source.last_number()
        self._target.load([], last)
        self._compare(last)
        return Copied(self._target.count(), copied, last)

    def _check_target(self) -> set[int]:
        """Give the numbers that the target has already, each with the very task of the source."""
        given, allowed = self._target.last_number(), self._source.last_number()
        if given > allowed:
            raise CopyRefused(
                f"The target has given numbers up to {given}, the source only up to {allowed}; nothing was copied. {_WHAT_NOW}."
            )
        known: set[int] = set()
        for tasks in self._walk(self._target):
            same = self._between(tasks[0].id, tasks[-1].id)
            for task in tasks:
                if same.get(task.id) != task:
                    raise CopyRefused(f"Task {task.id} {_ANOTHER}")
            known.update(task.id for task in tasks)
        return known

    def _between(self, first: int, last: int) -> dict[int, Task]:
        """Give the source's tasks between two numbers, both included."""
        found: dict[int, Task] = {}
        for tasks in self._walk(self._source, first - 1):
            found.update({task.id: task for task in tasks if task.id <= last})
            if tasks[-1].id >= last:
                break
        return found

    def _compare(self, last: int) -> None:
        ours, theirs = self._source.count(), self._target.count()
        if ours != theirs or last != self._target.last_number():
            raise CopyRefused(
                f"The source has {ours} tasks and the target {theirs}: somebody is writing. Stop that, and copy once more."
            )
        for kept, made in zip(self._walk(self._source), self._walk(self._target), strict=False):
            for task, copy in zip(kept, made, strict=False):
                if task != copy:
                    raise CopyRefused(f"Task {task.id} was changed meanwhile. Stop whoever writes. {_WHAT_NOW}.")

    def _walk(self, store: TaskStore, after: int = 0) -> Iterator[Sequence[Task]]:
        while tasks := store.scan(after, self._batch):
            yield tasks
            after = tasks[-1].id
