"""The part of bootstrap that is about tasks: turns settings into the board, what copies it, and what writes on it by itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.resources.catalogue.inspector import SqliteInspector
from main.resources.database.engine import sqlite_path
from main.resources.tasks.stores import kind_of, make_tasks
from main.service.lifecycle import Component, Lifecycle
from main.service.taskcopy import TaskCopy
from main.service.taskrules import TaskRuler
from main.service.tasks import TaskService
from main.util.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.service.ports.tasks import TaskStore
    from main.settings import Settings
    from main.util.clock import Clock


@dataclass(frozen=True, slots=True)
class Board(Component):
    """The component that keeps the tasks."""

    resource: TaskStore


def make_board(settings: Settings, given: TaskStore | None = None) -> Board:
    """Give the board that the settings ask for, or the given one; nothing is opened before ``open()``.

    The catalogue is of use without it, so it is not essential: a store that is away opens itself when it is back.
    """
    url = settings.tasks.url
    return Board("tasks", kind_of(url), given or make_tasks(url, settings.data), essential=False)


def make_ruler(settings: Settings, clock: Clock) -> tuple[TaskRuler, list[Component]]:
    """Give what brings the board in line with a source whose sync has ended or that is gone, and the components it needs open."""
    board, inspector = make_board(settings), SqliteInspector(sqlite_path(settings.store.url, settings.data))
    ruler = TaskRuler(board.resource, inspector, settings.tasks.rules, clock)
    return ruler, [Component("inspector", "sqlite", inspector), board]


@contextmanager
def build_tasks(settings: Settings, clock: Clock | None = None) -> Iterator[TaskService]:
    """Give what may be done with tasks, the configured store open inside.

    Raises:
        StoreDown: it cannot be used.
    """
    store = make_tasks(settings.tasks.url, settings.data)
    store.open()
    try:
        yield TaskService(store, clock or SystemClock())
    finally:
        store.close()


@contextmanager
def build_task_copy(settings: Settings, source: str, target: str) -> Iterator[TaskCopy]:
    """Give what copies tasks from the store of one URL to that of another, both open inside.

    Raises:
        StoreDown: one of them cannot be used.
    """
    stores = [make_tasks(url, settings.data) for url in (source, target)]
    lifecycle = Lifecycle([Component(name, "tasks", store) for name, store in zip(("source", "target"), stores, strict=True)])
    try:
        lifecycle.open()
        yield TaskCopy(*stores)
    finally:
        lifecycle.close()
