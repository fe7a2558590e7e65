"""The task stores that must keep the contract; a new one is a new entry here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from main.resources.tasks.mongo import MongoTasks
from main.resources.tasks.postgres import PostgresTasks
from main.resources.tasks.sqlite import SqliteTasks
from test.fakes import MemoryTasks

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class TaskBackend:
    """How to make a store, not opened yet, at a place: a folder, or the URL of a database on the server of the kind ``served``.

    ``durable`` says that other processes see it; ``down`` makes one whose server, or file, does not answer.
    """

    name: str
    make: Callable[[str], Any]
    down: Callable[[Path], Any]
    served: str | None = None
    durable: bool = True


def _broken_file(folder: Path) -> SqliteTasks:
    (folder / "broken.db").write_bytes(b"This is not a database. " * 500)
    return SqliteTasks(folder / "broken.db")


def _broken_memory(_: Path) -> MemoryTasks:
    return MemoryTasks(down=True)


NOBODY_LISTENS = "127.0.0.1:1"
TASK_STORES = {
    backend.name: backend
    for backend in (
        TaskBackend("sqlite", lambda place: SqliteTasks(Path(place) / "data" / "tasks.db", patience=60), _broken_file),
        TaskBackend("postgres", PostgresTasks, lambda _: PostgresTasks(f"postgresql://{NOBODY_LISTENS}/x"), "postgres"),
        TaskBackend(
            "mongo", MongoTasks, lambda _: MongoTasks(f"mongodb://{NOBODY_LISTENS}/x?serverSelectionTimeoutMS=200"), "mongo"
        ),
        TaskBackend("memory", lambda _: MemoryTasks(), _broken_memory, durable=False),
    )
}
DURABLE_TASKS = [backend for backend in TASK_STORES.values() if backend.durable]
