"""The SQLite catalogue as a sync writes it: leases, schedule, staging areas, and what a removed source leaves behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from main.resources.catalogue.journal import record_failure, record_rejected
from main.resources.catalogue.shapes import read_good_shape
from main.resources.catalogue.staging import SqliteStaging
from main.resources.catalogue.swap import remove_products
from main.resources.catalogue.syncs import begin_sync, end_sync, request_sync, write_progress
from main.resources.database.engine import WriterLock, make_engine, migrate, store_errors, writing
from main.resources.database.times import from_ms, to_ms
from main.service.model import Outcome, SyncState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from main.service.model import Rejected, Shape, SyncRecord, SyncReport

_OWNED_TABLES = {
    "quarantine": "source",
    "held": "source",
    "lease": "source",
    "sync": "source",
    "shape": "source",
    "heartbeat": "source",
    "source": "name",
}


class SqliteWriter:
    """Writes snapshots, leases and the record of every sync.

    ``patience`` is how many seconds it waits for another process that is writing; without, as long as that takes.
    """

    def __init__(self, path: Path, *, patience: float | None = None) -> None:
        self._path = path
        self._engine = make_engine(path, writer=True)
        self._lock = WriterLock(path, patience)

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

    def request(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        """Ask for a sync of the source and give its record; while one waits already, that one (forced, if either asks for it).

        Raises:
            StoreDown: the store cannot be written.
        """
        with self._writing() as connection:
            return request_sync(connection, source, now, force=force)

    def begin(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        """Give the record of a sync that begins: the one that was asked for, or a new one."""
        with self._writing() as connection:
            return begin_sync(connection, source, now, force=force)

    def progress(self, report: SyncReport) -> None:
        """Note how far a running sync is; may be lost when the machine stops."""
        with self._noting() as connection:
            write_progress(connection, report)

    def record(self, report: SyncReport, rejected: Sequence[Rejected] | None = None) -> None:
        """Record a crawl that failed; the snapshot stays, and so does the quarantine where no other one is given."""
        with self._writing() as connection:
            record_failure(connection, report)
            if rejected is not None:
                record_rejected(connection, report, rejected)

    def abandon(self, report: SyncReport) -> None:
        """Record that a crawl was given up, which says nothing about its source."""
        with self._writing() as connection:
            end_sync(connection, report, SyncState.HELD_BACK if report.outcome is Outcome.HELD_BACK else SyncState.STOPPED)

    def shape(self, source: str) -> Shape | None:
        """Give what the records of the last good crawl looked like."""
        with self._connected() as connection:
            return read_good_shape(connection, source)

    def beat(self, sources: Iterable[str], now: dt.datetime) -> None:
        """Note that these sources are being watched; may be lost when the machine stops."""
        rows = [(source, to_ms(now)) for source in sources]
        with self._noting() as connection:
            if rows:
                connection.exec_driver_sql(
                    "INSERT INTO heartbeat VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET seen_at = excluded.seen_at", rows
                )

    def schedule(self, source: str, at: dt.datetime) -> None:
        """Record when the source is due next."""
        with self._writing() as connection:
            connection.exec_driver_sql(
                "INSERT INTO source (name, next_sync_at) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET next_sync_at = excluded.next_sync_at",
                (source, to_ms(at)),
            )

    def due(self, source: str) -> dt.datetime | None:
        """Give when the source is due next: since a sync was asked for, or when its schedule says, if that was ever recorded."""
        with self._connected() as connection:
            found = connection.exec_driver_sql(
                "SELECT coalesce((SELECT requested_at FROM sync WHERE source = ? AND state = 'requested'),"
                " (SELECT next_sync_at FROM source WHERE name = ?))",
                (source, source),
            ).scalar()
            return from_ms(found)

    def failures(self, source: str) -> int:
        """Give how many attempts have failed since the last good one."""
        with self._connected() as connection:
            found = connection.exec_driver_sql("SELECT failures FROM source WHERE name = ?", (source,)).scalar()
            return int(found or 0)

    def retain(self, sources: Iterable[str], now: dt.datetime) -> int:
        """Drop what belongs to sources that are no longer configured; give how many products that were."""
        kept = set(sources)
        with self._writing() as connection:
            names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM source") if row[0] not in kept]
            gone = [(row[0],) for name in names for row in _product_ids(connection, name)]
            remove_products(connection, gone, now)
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

    @contextmanager
    def _noting(self) -> Iterator[sa.Connection]:
        # For what is worth less than waiting for the disk: the next commit of any process brings it there.
        with self._connected() as connection:
            connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
            with writing(connection, self._lock):
                yield connection


def _product_ids(connection: sa.Connection, source: str) -> Iterable[sa.Row[str]]:
    return connection.exec_driver_sql("SELECT id FROM product WHERE source = ?", (source,)).all()
