"""Tasks in a SQLite file of their own: what every process of the machine sees."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.resources.database.engine import WriterLock, keep_private, make_engine, migrate, reading, store_errors, writing
from main.resources.tasks.sql import SqlTasks
from main.resources.tasks.tables import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import sqlalchemy as sa


class SqliteTasks(SqlTasks):
    """Keeps tasks in a file; ``patience`` is how many seconds it waits for another process that is writing."""

    def __init__(self, path: Path, *, patience: float = 5.0) -> None:
        super().__init__()
        self._path = path
        self._readers = make_engine(path, writer=False)
        self._writer = make_engine(path, writer=True)
        self._lock = WriterLock(path, patience)

    def close(self) -> None:
        """Close all connections."""
        self._readers.dispose()
        self._writer.dispose()

    def _prepare(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        migrate(self._writer, self._lock, SCHEMA)
        keep_private(self._path)

    def _reads(self) -> AbstractContextManager[sa.Connection]:
        return reading(self._readers)

    @contextmanager
    def _writes(self) -> Iterator[sa.Connection]:
        with store_errors(), self._writer.connect() as connection, writing(connection, self._lock):
            yield connection
