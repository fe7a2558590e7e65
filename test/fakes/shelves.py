"""What a catalogue in memory holds, and the lock around it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from main.service.errors import StoreDown

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from main.service.model import Product, Rejected, Shape, SourceRecord, SyncRecord, Tombstone


@dataclass(frozen=True)
class Row:
    key: int
    product: Product
    document: bytes
    digest: bytes


@dataclass
class Shelves:
    """The tables of a catalogue; ``down`` makes every use of them fail."""

    version: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    tombstones: dict[str, Tombstone] = field(default_factory=dict)
    sources: dict[str, SourceRecord] = field(default_factory=dict)
    leases: dict[str, tuple[str, dt.datetime]] = field(default_factory=dict)
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)
    records: dict[int, SyncRecord] = field(default_factory=dict)
    numbers: int = 0
    shapes: dict[str, Shape] = field(default_factory=dict)
    beats: dict[str, dt.datetime] = field(default_factory=dict)
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    opened: int = 0
    keys: int = 0
    reads: int = 0

    def open(self) -> None:
        self._require()
        self.opened += 1

    def ping(self) -> None:
        self._require()

    def close(self) -> None:
        self.opened = 0

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self.lock:
            self._require()
            yield

    def _require(self) -> None:
        if self.down:
            raise StoreDown
