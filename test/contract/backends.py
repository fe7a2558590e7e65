"""The catalogues that must keep the contract; a new one is a new entry here."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from main.resources.catalogue.reader import SqliteReader
from main.resources.catalogue.writer import SqliteWriter
from test.fakes import MemoryCatalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Backend:
    """How to make a reader and a writer of one catalogue in a folder, neither opened yet.

    ``durable`` says that other processes see it; ``damage`` makes it unusable; ``faults`` gives what the store itself finds wrong.
    """

    name: str
    make: Callable[[Path], tuple[Any, Any]]
    durable: bool = False
    damage: Callable[[Path, Any], None] | None = None
    faults: Callable[[Path], list[str]] = lambda _: []


def _make_sqlite(folder: Path) -> tuple[SqliteReader, SqliteWriter]:
    return SqliteReader(folder / "data" / "aisle.db"), SqliteWriter(folder / "data" / "aisle.db")


def _damage_sqlite(folder: Path, _: object) -> None:
    (folder / "data").mkdir(exist_ok=True)
    for path in (folder / "data").glob("aisle.db*"):
        path.unlink()
    (folder / "data" / "aisle.db").write_bytes(b"This is not a database. " * 500)


def _find_sqlite_faults(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "data" / "aisle.db", timeout=20)
    try:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        # rank 1 compares the index with the text it was made of
        connection.execute("INSERT INTO product_index (product_index, rank) VALUES ('integrity-check', 1)")
        connection.rollback()
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    finally:
        connection.close()
    return found


def _make_memory(_: Path) -> tuple[MemoryCatalogue, MemoryCatalogue]:
    catalogue = MemoryCatalogue()
    return catalogue, catalogue


def _damage_memory(_: Path, catalogue: MemoryCatalogue) -> None:
    catalogue.down = True


BACKENDS = {
    backend.name: backend
    for backend in (
        Backend("sqlite", _make_sqlite, durable=True, damage=_damage_sqlite, faults=_find_sqlite_faults),
        Backend("memory", _make_memory, damage=_damage_memory),
    )
}
DURABLE = [backend for backend in BACKENDS.values() if backend.durable]
