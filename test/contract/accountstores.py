"""The account stores that must keep the contract; a new one is a new entry here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from main.resources.accounts.store import SqliteAccounts
from test.fakes import MemoryAccounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class AccountBackend:
    """How to make a store in a folder, not opened yet; ``durable`` says that other processes see it, ``damage`` takes it down."""

    name: str
    make: Callable[[Path], Any]
    damage: Callable[[Path, Any], None]
    durable: bool = False


def _damage_file(folder: Path, store: Any) -> None:
    store.close()
    for path in folder.glob("aisle.db*"):
        path.unlink()
    (folder / "aisle.db").write_bytes(b"This is not a database. " * 500)


def _damage_memory(_: Path, store: Any) -> None:
    store.down = True


ACCOUNT_STORES = {
    backend.name: backend
    for backend in (
        AccountBackend("sqlite", lambda folder: SqliteAccounts(folder / "aisle.db", patience=60), _damage_file, durable=True),
        AccountBackend("memory", lambda _: MemoryAccounts(), _damage_memory),
    )
}
DURABLE_ACCOUNTS = [backend for backend in ACCOUNT_STORES.values() if backend.durable]
