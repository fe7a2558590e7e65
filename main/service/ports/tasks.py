"""What tasks need from the outside, as a protocol; resources implement it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from main.service.ports import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from main.service.model import Task, TaskKind, TaskQuery


class TaskStore(Resource, Protocol):
    """Tasks by number; every process of the installation sees the same. Safe from several threads.

    What a method has answered for survives the end of this process and of the machine. A store that could not be opened, since
    its server was away, opens itself when it is next asked. Every method raises StoreDown when the store does not answer.
    """

    def add(self, task: Task) -> Task:
        """Keep a new task under the next number, whatever its own is, and give it; where its cause has a task already, that one.

        Numbers count up from 1 and are never given twice before a reset, however many processes add at once.
        """

    def get(self, task_id: int) -> Task | None:
        """Give one task with its history."""

    def find(self, query: TaskQuery) -> tuple[Sequence[Task], int]:
        """Give the page a query asks for, without histories, and how many tasks the whole result has."""

    def left_by_kind(self) -> Mapping[TaskKind, int]:
        """Give how many tasks of each kind are not done; a kind that has none is left out."""

    def caused(self, prefix: str) -> Sequence[Task]:
        """Give all tasks whose cause starts with this, with their histories, by number."""

    def replace(self, task: Task, expected: int) -> bool:
        """Put a task in the place of its ``expected`` version, as one step; False where it has another version or is gone."""

    def delete(self, task_id: int, expected: int) -> bool:
        """Drop a task in its ``expected`` version, as one step; False where it has another version or is gone."""

    def delete_titled(self, title: str) -> int:
        """Drop all tasks of exactly this title and give how many there were."""

    def reset(self) -> int:
        """Drop all tasks and let numbers start anew; give how many there were."""

    def count(self) -> int:
        """Give how many tasks there are."""

    def last_number(self) -> int:
        """Give the last number that was given; 0 where none was."""

    def scan(self, after: int, limit: int) -> Sequence[Task]:
        """Give the first tasks after a number, with their histories, by number."""

    def load(self, tasks: Iterable[Task], last: int) -> None:
        """Keep tasks of another store as they are, numbers and all, and give no number up to ``last`` again."""
