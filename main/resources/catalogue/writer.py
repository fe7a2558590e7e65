"""The SQLite catalogue as a sync writes it: leases, schedule, staging areas, and what a removed source leaves behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.resources.catalogue.engine import WriterLock, make_engine, migrate, store_errors, writing
from main.resources.catalogue.journal import record_failure
from main.resources.catalogue.rows import from_ms, to_ms
from main.resources.catalogue.staging import SqliteStaging
from main.resources.catalogue.swap import remove_products

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from main.service.model import SyncReport

_OWNED_TABLES = {"quarantine": "source", "held": "source", "lease": "source", "sync": "source", "source": "name"}


class SqliteWriter:
    """Writes snapshots, leases and the record of every sync."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = make_engine(path, writer=True)
        self._lock = WriterLock(path)

    def open(self) -> None:
        """Create the database if there is none, and bring its schema up to date.

        Raises:
            StoreDown: the file cannot be used.
        """
        with store_errors():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            migrate(self._engine, self._lock)

    def ping(self) -> None:
        """Return when the store answers.

        Raises:
            StoreDown: it does not.
        """
        with self._connected() as connection:
            connection.exec_driver_sql("SELECT version FROM catalogue").scalar_one()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def acquire(self, source: str, owner: str, until: dt.datetime, now: dt.datetime) -> bool:
        """Take or renew the lease of a source; False while another owner's is alive."""
        with self._writing() as connection:
            taken = connection.exec_driver_sql(
                "INSERT INTO lease (source, owner, expires_at) VALUES (?, ?, ?) ON CONFLICT (source) DO UPDATE"
                " SET owner = excluded.owner, expires_at = excluded.expires_at"
                " WHERE lease.owner = excluded.owner OR lease.expires_at <= ?",
                (source, owner, to_ms(until), to_ms(now)),
            )
            # A source that was never synced has no row yet, and a lease without one would not be seen by readers.
            connection.exec_driver_sql("INSERT INTO source (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (source,))
            return taken.rowcount == 1

    def release(self, source: str, owner: str) -> None:
        """Give the lease back."""
        with self._writing() as connection:
            connection.exec_driver_sql("DELETE FROM lease WHERE source = ? AND owner = ?", (source, owner))

    @contextmanager
    def stage(self, source: str) -> Iterator[SqliteStaging]:
        """Open an empty staging area; what was not committed is gone when it closes."""
        with self._connected() as connection:
            yield SqliteStaging(connection, self._lock, source)

    def record(self, report: SyncReport) -> None:
        """Record a crawl that failed; the snapshot stays."""
        with self._writing() as connection:
            record_failure(connection, report)

    def schedule(self, source: str, at: dt.datetime) -> None:
        """Record when the source is due next."""
        with self._writing() as connection:
            connection.exec_driver_sql(
                "INSERT INTO source (name, next_sync_at) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET next_sync_at = excluded.next_sync_at",
                (source, to_ms(at)),
            )

    def due(self, source: str) -> dt.datetime | None:
        """Give when the source is due next, if that was ever recorded."""
        with self._connected() as connection:
            found = connection.exec_driver_sql("SELECT next_sync_at FROM source WHERE name = ?", (source,)).scalar()
            return from_ms(found)

    def failures(self, source: str) -> int:
        """Give how many attempts have failed since the last good one."""
        with self._connected() as connection:
            found = connection.exec_driver_sql("SELECT failures FROM source WHERE name = ?", (source,)).scalar()
            return int(found or 0)

    def retain(self, sources: Iterable[str]) -> int:
        """Drop what belongs to sources that are no longer configured; give how many products that were."""
        kept = set(sources)
        with self._writing() as connection:
            names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM source") if row[0] not in kept]
            gone = [(row[0],) for name in names for row in _product_ids(connection, name)]
            remove_products(connection, gone)
            connection.exec_driver_sql("UPDATE catalogue SET version = version + ?", (int(bool(gone)),))
            for table, column in _OWNED_TABLES.items():
                for name in names:
                    connection.exec_driver_sql(f"DELETE FROM {table} WHERE {column} = ?", (name,))
            return len(gone)

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with store_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._connected() as connection, writing(connection, self._lock):
            yield connection


def _product_ids(connection: sa.Connection, source: str) -> Iterable[sa.Row[str]]:
    return connection.exec_driver_sql("SELECT id FROM product WHERE source = ?", (source,)).all()
