"""Opens the SQLite database: pragmas, schema, and the lock that lets one process write at a time."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from main.service.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Iterator

REVISION = "0006"
_LOCK_NAP = 0.02
_MIGRATIONS = Path(__file__).parent / "migrations"
_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "busy_timeout": "10000",
    "temp_store": "FILE",
    "journal_size_limit": "67108864",
}
# In KiB. A worker has a reader for each thread and leaves the rest to the system's page cache; a commit into a large store
# touches indexes all over, and is several times faster when their pages stay at hand.
_READER_CACHE = "-1000"
_WRITER_CACHE = "-64000"


@dataclass(frozen=True, slots=True)
class Schema:
    """The migrations of one database: their folder, the newest of them, and the table in which the database says which it has."""

    folder: Path
    revision: str
    table: str = "alembic_version"


def sqlite_path(url: str, data: Path) -> Path:
    """Give the database file an SQLAlchemy URL names; a relative one is inside the data folder."""
    return data / sa.make_url(url).database if sa.make_url(url).database else data / "aisle.db"  # type: ignore[operator]


def make_engine(path: Path, *, writer: bool) -> sa.Engine:
    """Give an engine in autocommit mode, so that transactions begin and end where the code says; nothing is opened yet."""
    options: dict[str, Any] = {"poolclass": NullPool} if writer else {"pool_size": 8, "max_overflow": 24}
    engine = sa.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", **options)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        for name, value in {**_PRAGMAS, "cache_size": _WRITER_CACHE if writer else _READER_CACHE}.items():
            connection.execute(f"PRAGMA {name} = {value}")
        if not writer:
            connection.execute("PRAGMA query_only = ON")

    return engine


class WriterLock:
    """One writer among all processes of the machine.

    SQLite below 3.51.3 can corrupt a WAL file when two connections write or checkpoint at once (sqlite.org/wal.html,
    "walresetbug"); holding this lock from BEGIN to the end of COMMIT, in which the checkpoint runs, rules that out.
    """

    def __init__(self, database: Path, patience: float | None = None) -> None:
        self._path = database.with_name(database.name + ".writer")
        self._patience = patience

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock and hold it; the kernel frees it when the process dies.

        Raises:
            OSError: patience ended before another writer was done.
        """
        with self._path.open("a") as file:
            if self._patience is None:
                fcntl.flock(file, fcntl.LOCK_EX)
            else:
                _lock_within(file, self._patience)
            yield


def _lock_within(file: IO[str], patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
        time.sleep(_LOCK_NAP)


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Hold a transaction in which every statement sees the same.

    Raises:
        StoreDown: the store does not answer.
    """
    with store_errors(), engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("COMMIT")


@contextmanager
def writing(connection: sa.Connection, lock: WriterLock) -> Iterator[sa.Connection]:
    """Hold the lock and a transaction: committed at the end, rolled back when anything is raised.

    Raises:
        StoreDown: the store does not answer.
    """
    with store_errors(), lock.held():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the driver's errors into ours, with the cause kept."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StoreDown from error


def keep_private(path: Path) -> None:
    """Let only the own user read the database and what SQLite keeps beside it: it holds hashes of passwords.

    Raises:
        OSError: the file is somebody else's.
    """
    for beside in ("", "-wal", "-shm", ".writer"):
        file = path.with_name(path.name + beside)
        with suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def migrate(engine: sa.Engine, lock: WriterLock, schema: Schema | None = None) -> None:
    """Bring the schema, by itself that of the catalogue, up to date; cheap when it already is."""
    schema = schema or Schema(_MIGRATIONS, REVISION)
    if not _is_current(engine, schema):
        with lock.held():
            _upgrade(engine, schema)


def _upgrade(engine: sa.Engine, schema: Schema | None = None) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            upgrade(connection, schema or Schema(_MIGRATIONS, REVISION))
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def _is_current(engine: sa.Engine, schema: Schema) -> bool:
    # Where two make a file at once, one is told that it is locked, without any wait; so an empty one is opened by the lock's holder alone.
    path = Path(str(engine.url.database))
    if not path.exists() or path.stat().st_size == 0:
        return False
    with suppress(sa.exc.OperationalError), engine.connect() as connection:
        return read_revision(connection, schema) == schema.revision
    return False  # it is being made just now: whoever has the lock will say so


def read_revision(connection: sa.Connection, schema: Schema) -> str | None:
    """Give the newest migration a database has; None where it has none."""
    if not sa.inspect(connection).has_table(schema.table):
        return None
    found = connection.execute(sa.select(sa.column("version_num")).select_from(sa.table(schema.table))).scalar()
    return None if found is None else str(found)


def upgrade(connection: sa.Connection, schema: Schema) -> None:
    """Run the migrations that a database lacks, inside the transaction it is in.

    Raises:
        StoreDown: the database is of a newer Aisle, or not of Aisle at all.
    """
    # Imported here because it is slow to load and needed only once in a database's life.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(schema.folder))
    config.attributes["connection"] = connection
    config.attributes["table"] = schema.table
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        found = read_revision(connection, schema)
        raise StoreDown(f"The database has revision {found}, which this version does not know; a newer one made it.") from error
