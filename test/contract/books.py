"""The guard books that must keep the contract; a new one is a new entry here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.resources.guards.files import FileGuardBook
from main.resources.guards.memory import MemoryGuardBook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from main.service.ports.guards import GuardBook


@dataclass(frozen=True)
class Book:
    """How to make a book in a folder; ``shared`` says that other processes see it."""

    name: str
    make: Callable[[Path], GuardBook]
    shared: bool = False


BOOKS = {
    book.name: book
    for book in (
        Book("files", lambda folder: FileGuardBook(folder / "guards"), shared=True),
        Book("memory", lambda _: MemoryGuardBook()),
    )
}
SHARED = [book for book in BOOKS.values() if book.shared]
