"""Makes the task store that a URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.database.engine import sqlite_path
from main.resources.tasks.postgres import PostgresTasks
from main.resources.tasks.sqlite import SqliteTasks

if TYPE_CHECKING:
    from pathlib import Path

    from main.service.ports.tasks import TaskStore


def kind_of(url: str) -> str:
    """Give what a URL names: ``sqlite``, ``postgresql`` or ``mongodb``."""
    return url.partition(":")[0].partition("+")[0]


def make_tasks(url: str, data: Path) -> TaskStore:
    """Make the store; a relative SQLite file is inside the data folder. Nothing is opened or connected before it is used."""
    kind = kind_of(url)
    if kind == "mongodb":
        # Imported here because the driver is large, and most installations have no use for it.
        from main.resources.tasks.mongo import MongoTasks  # noqa: PLC0415

        return MongoTasks(url)
    return PostgresTasks(url) if kind == "postgresql" else SqliteTasks(sqlite_path(url, data))
