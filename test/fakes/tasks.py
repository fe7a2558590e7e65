"""A task store; the contract suite of task stores tries it like the others."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from main.service.errors import StoreDown
from main.service.model import TaskStatus
from main.util.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from main.service.model import Task, TaskKind, TaskQuery


@dataclass
class MemoryTasks:
    """A task store in memory; everything is found by looking at every task."""

    kept: dict[int, Task] = field(default_factory=dict)
    last: int = 0
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def open(self) -> None:
        self._require()

    def ping(self) -> None:
        self._require()

    def close(self) -> None:
        """Nothing to give back."""

    def add(self, task: Task) -> Task:
        with self._held():
            known = next((each for each in self.kept.values() if each.cause is not None and each.cause == task.cause), None)
            if known is not None:
                return known
            self.last += 1
            self.kept[self.last] = replace(task, id=self.last)
            return self.kept[self.last]

    def get(self, task_id: int) -> Task | None:
        with self._held():
            return self.kept.get(task_id)

    def find(self, query: TaskQuery) -> tuple[Sequence[Task], int]:
        with self._held():
            found = [task for _, task in sorted(self.kept.items()) if _is_wanted(task, query)]
        name, falls = query.sort.removeprefix("-"), query.sort.startswith("-")
        found.sort(key=lambda task: _sort_key(task, name), reverse=falls)  # stable: equals stay in the order of their numbers
        start = (query.page - 1) * query.per_page
        return [replace(task, history=()) for task in found[start : start + query.per_page]], len(found)

    def left_by_kind(self) -> dict[TaskKind, int]:
        with self._held():
            return Counter(task.kind for task in self.kept.values() if task.status is not TaskStatus.DONE)

    def caused(self, prefix: str) -> Sequence[Task]:
        with self._held():
            return [task for _, task in sorted(self.kept.items()) if (task.cause or "").startswith(prefix) and task.cause]

    def replace(self, task: Task, expected: int) -> bool:
        with self._held():
            if not self._has(task.id, expected):
                return False
            self.kept[task.id] = task
            return True

    def delete(self, task_id: int, expected: int) -> bool:
        with self._held():
            return self._has(task_id, expected) and self.kept.pop(task_id) is not None

    def delete_titled(self, title: str) -> int:
        with self._held():
            before = len(self.kept)
            self.kept = {number: task for number, task in self.kept.items() if task.title != title}
            return before - len(self.kept)

    def reset(self) -> int:
        with self._held():
            dropped, self.kept, self.last = len(self.kept), {}, 0
            return dropped

    def count(self) -> int:
        with self._held():
            return len(self.kept)

    def last_number(self) -> int:
        with self._held():
            return self.last

    def scan(self, after: int, limit: int) -> Sequence[Task]:
        with self._held():
            return [task for number, task in sorted(self.kept.items()) if number > after][:limit]

    def load(self, tasks: Iterable[Task], last: int) -> None:
        with self._held():
            self.kept.update({task.id: task for task in tasks})
            self.last = max(self.last, last)

    def _has(self, task_id: int, version: int) -> bool:
        return task_id in self.kept and self.kept[task_id].version == version

    def _require(self) -> None:
        if self.down:
            raise StoreDown

    @contextmanager
    def _held(self) -> Iterator[None]:
        self._require()
        with self.lock:
            yield


def _sort_key(task: Task, name: str) -> Any:
    return (
        fold(task.title)
        if name == "title"
        else getattr(task, {"created": "created_at", "updated": "updated_at"}.get(name, name))
    )


def _is_wanted(task: Task, query: TaskQuery) -> bool:
    filters = ("status", "priority", "kind", "product", "assignee")
    text = fold(f"{task.title}\n{task.short_description}")
    return all(getattr(task, name) in getattr(query, name) for name in filters if getattr(query, name)) and all(
        fold(word) in text for word in query.words
    )
