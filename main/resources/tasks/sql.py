"""What the SQL stores share: everything but how a connection is had, and how one write waits for another."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from main.resources.database.engine import store_errors
from main.resources.tasks.records import from_record, to_record
from main.resources.tasks.tables import COUNT, COUNTER, LAST_NUMBER, LEFT_BY_KIND, NEXT_NUMBER, TASK, count_of, page_of
from main.service.model import TaskKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from main.service.model import Task, TaskQuery


class SqlTasks(ABC):
    """Tasks in a database that SQLAlchemy speaks to."""

    def __init__(self) -> None:
        self._prepared = False
        self._preparing = threading.Lock()

    @abstractmethod
    def _prepare(self) -> None:
        """Bring the schema up to date."""

    @abstractmethod
    def _reads(self) -> AbstractContextManager[sa.Connection]:
        """Hold a transaction in which every statement sees the same."""

    @abstractmethod
    def _writes(self) -> AbstractContextManager[sa.Connection]:
        """Hold a transaction that is committed, for good, at the end."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""

    def open(self) -> None:
        """Connect, and bring the schema up to date.

        Raises:
            StoreDown: the database cannot be used.
        """
        with self._preparing:
            if not self._prepared:
                with store_errors():
                    self._prepare()
                self._prepared = True

    def ping(self) -> None:
        """Return when the store answers.

        Raises:
            StoreDown: it does not.
        """
        self.last_number()

    def add(self, task: Task) -> Task:
        """Keep a new task under the next number and give it; where its cause has a task already, that one."""
        with self._writing() as connection:
            # First the number: whoever takes one has all others wait, so that nobody keeps the same cause meanwhile.
            number = connection.execute(NEXT_NUMBER).scalar_one()
            known = None if task.cause is None else self._first(connection, TASK.c.cause == task.cause)
            if known is not None:
                connection.execute(sa.update(COUNTER).values(last=number - 1))
                return known
            made = {**to_record(task), "id": number}
            connection.execute(sa.insert(TASK).values(made))
            return from_record(made)

    def get(self, task_id: int) -> Task | None:
        """Give one task with its history."""
        with self._reading() as connection:
            return self._first(connection, TASK.c.id == task_id)

    def find(self, query: TaskQuery) -> tuple[Sequence[Task], int]:
        """Give the page a query asks for, without histories, and how many tasks the whole result has."""
        with self._reading() as connection:
            total = connection.execute(count_of(query)).scalar_one()
            return self._all(connection, page_of(query)), total

    def left_by_kind(self) -> dict[TaskKind, int]:
        """Give how many tasks of each kind are not done; a kind that has none is left out."""
        with self._reading() as connection:
            return {TaskKind(kind): int(number) for kind, number in connection.execute(LEFT_BY_KIND)}

    def caused(self, prefix: str) -> Sequence[Task]:
        """Give all tasks whose cause starts with this, with their histories, by number."""
        chosen = sa.select(TASK).where(TASK.c.cause.startswith(prefix, autoescape=True)).order_by(TASK.c.id)
        with self._reading() as connection:
            # LIKE takes upper and lower case for the same in some databases.
            return [task for task in self._all(connection, chosen) if str(task.cause).startswith(prefix)]

    def replace(self, task: Task, expected: int) -> bool:
        """Put a task in the place of its ``expected`` version; False where it has another version or is gone."""
        wanted = sa.update(TASK).where(TASK.c.id == task.id, TASK.c.version == expected).values(to_record(task))
        return self._change(wanted) == 1

    def delete(self, task_id: int, expected: int) -> bool:
        """Drop a task in its ``expected`` version; False where it has another version or is gone."""
        return self._change(sa.delete(TASK).where(TASK.c.id == task_id, TASK.c.version == expected)) == 1

    def delete_titled(self, title: str) -> int:
        """Drop all tasks of exactly this title and give how many there were."""
        return self._change(sa.delete(TASK).where(TASK.c.title == title))

    def reset(self) -> int:
        """Drop all tasks and let numbers start anew; give how many there were."""
        with self._writing() as connection:
            # The counter first: whoever adds holds it, and is either done and dropped, or waits and gets number 1.
            connection.execute(sa.update(COUNTER).values(last=0))
            return connection.execute(sa.delete(TASK)).rowcount

    def count(self) -> int:
        """Give how many tasks there are."""
        with self._reading() as connection:
            return int(connection.execute(COUNT).scalar_one())

    def last_number(self) -> int:
        """Give the last number that was given; 0 where none was."""
        with self._reading() as connection:
            return int(connection.execute(LAST_NUMBER).scalar_one())

    def scan(self, after: int, limit: int) -> Sequence[Task]:
        """Give the first tasks after a number, with their histories, by number."""
        with self._reading() as connection:
            return self._all(connection, sa.select(TASK).where(TASK.c.id > after).order_by(TASK.c.id).limit(limit))

    def load(self, tasks: Iterable[Task], last: int) -> None:
        """Keep tasks of another store as they are, numbers and all, and give no number up to ``last`` again."""
        records = [to_record(task) for task in tasks]
        with self._writing() as connection:
            connection.execute(sa.update(COUNTER).where(COUNTER.c.last < last).values(last=last))
            if records:
                connection.execute(sa.insert(TASK), records)

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        self.open()
        return self._reads()

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        self.open()
        return self._writes()

    def _change(self, statement: sa.Update | sa.Delete) -> int:
        with self._writing() as connection:
            return connection.execute(statement).rowcount

    @staticmethod
    def _first(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> Task | None:
        row = connection.execute(sa.select(TASK).where(wanted)).mappings().first()
        return None if row is None else from_record(row)

    @staticmethod
    def _all(connection: sa.Connection, statement: sa.Select[Any]) -> list[Task]:
        return [from_record(row) for row in connection.execute(statement).mappings()]
