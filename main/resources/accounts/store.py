"""The account store in SQLite: what every process of the machine sees, and what ends a token at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from main.resources.accounts import families, keys, people
from main.resources.database.engine import WriterLock, keep_private, make_engine, migrate, reading, store_errors, writing
from main.service.errors import StoreDown
from main.service.model import Account
from main.service.ports.doors import Revocations
from main.util.clock import Clock, SystemClock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import sqlalchemy as sa

    from main.service.model import ApiKey, Role

_log = structlog.get_logger("accounts")
_VERSION = "SELECT version FROM revocation"


class SqliteAccounts:
    """Keeps accounts, logins and keys; ``patience`` is how many seconds it waits for another process that is writing."""

    def __init__(self, path: Path, clock: Clock | None = None, *, patience: float = 5.0) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._readers = make_engine(path, writer=False)
        self._writer = make_engine(path, writer=True)
        self._lock = WriterLock(path, patience)
        self._known: tuple[int, Revocations] | None = None
        self._touched: dict[str, dt.datetime] = {}

    def open(self) -> None:
        """Create the database if there is none, bring its schema up to date, and keep it for the own user's eyes.

        Raises:
            StoreDown: the file cannot be used.
        """
        with store_errors():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            migrate(self._writer, self._lock)
            keep_private(self._path)

    def ping(self) -> None:
        """Return when the store answers.

        Raises:
            StoreDown: it does not.
        """
        self._version()

    def close(self) -> None:
        """Close all connections."""
        self._readers.dispose()
        self._writer.dispose()

    def add(self, username: str, password_hash: str, role: Role, now: dt.datetime, *, wanted_id: int | None = None) -> Account:
        """Make an account, with the wanted id if it is free; ids count up and are never given twice.

        Raises:
            NameTaken: there is one of this name already (upper and lower case are the same).
        """
        made = Account(
            id=0, username=username, role=role, enabled=True, generation=1, created_at=now, password_hash=password_hash
        )
        with self._ending() as connection:  # so that every process knows the new one
            return people.insert_account(connection, made, wanted_id)

    def find(self, username: str) -> Account | None:
        """Give the account of this name, upper and lower case being the same."""
        with self._reading() as connection:
            return people.find_account(connection, username)

    def get(self, account_id: int) -> Account | None:
        """Give the account with this id."""
        with self._reading() as connection:
            return people.get_account(connection, account_id)

    def find_all(self) -> Sequence[Account]:
        """Give all accounts by name."""
        with self._reading() as connection:
            return people.read_accounts(connection)

    def set_password(self, account_id: int, password_hash: str, *, revoke: bool, instead_of: str | None = None) -> None:
        """Change an account's hash; ``revoke`` ends every token given so far as well.

        With ``instead_of``, nothing is changed where the hash is no longer that one.
        """
        with self._ending() as connection:
            changed = people.change_hash(connection, account_id, password_hash, instead_of)
            if changed and revoke:
                people.end_generation(connection, account_id, self._clock.now())

    def set_enabled(self, account_id: int, *, enabled: bool) -> None:
        """Switch an account on or off; off ends every token given so far."""
        with self._ending() as connection:
            people.switch(connection, account_id, enabled=enabled)
            if not enabled:
                people.end_generation(connection, account_id, self._clock.now())

    def start_family(self, account_id: int, family: str, token_id: str, until: dt.datetime) -> None:
        """Begin a login's family of refresh tokens, of which this one is the one that may be used."""
        with self._writing() as connection:
            families.sweep_families(connection, self._clock.now())
            families.insert_family(connection, account_id, family, token_id, until)

    def rotate(self, family: str, token_id: str, next_id: str, now: dt.datetime) -> bool:
        """Put the next refresh token in the place of this one, as one step.

        False, and the family ends, when this one is not the current one; False also when the family has ended or is over.
        """
        with self._writing() as connection:
            if families.replace_token(connection, family, token_id, next_id, now):
                return True
            if families.end_family(connection, family, self._clock.now()):
                _raise_version(connection)
            return False

    def has_family(self, family: str, now: dt.datetime) -> bool:
        """Tell whether a login goes on: it has begun, was not ended and is not over."""
        with self._reading() as connection:
            return families.is_living(connection, family, now)

    def end_family(self, family: str) -> None:
        """End a login: its refresh tokens and its access tokens."""
        with self._ending() as connection:
            families.end_family(connection, family, self._clock.now())

    def revocations(self) -> Revocations:
        """Give what access tokens are held against, as of this moment.

        Only the version is read each time, which takes some 20 microseconds; the rest when that has moved.
        """
        version, known = self._version(), self._known
        if known is not None and known[0] == version:
            return known[1]
        with self._reading() as connection:
            version = connection.exec_driver_sql(_VERSION).scalar_one()
            ended = families.read_ended(connection, self._clock.now())
            found = Revocations(ended, people.read_generations(connection))
        self._known = (version, found)
        return found

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        """Keep a machine's key by its digest."""
        with self._writing() as connection:
            keys.sweep_keys(connection, self._clock.now())
            keys.insert_key(connection, key, digest)

    def find_key(self, digest: bytes) -> ApiKey | None:
        """Give the key with this digest, also when it was revoked or is over."""
        with self._reading() as connection:
            return keys.find_key(connection, digest)

    def keys(self) -> Sequence[ApiKey]:
        """Give all keys, newest first."""
        with self._reading() as connection:
            return keys.read_keys(connection)

    def touch_key(self, key_id: str, now: dt.datetime) -> None:
        """Note that a key was used, to about five minutes. Never waits and never raises: a note may be lost."""
        last = self._touched.get(key_id)
        if last is not None and now - last < keys.NOTED:
            return
        self._touched[key_id] = now
        try:
            with store_errors(), self._writer.connect() as connection:
                connection.exec_driver_sql("PRAGMA synchronous = NORMAL")  # worth less than waiting for the disk
                with writing(connection, WriterLock(self._path, patience=0)):
                    keys.note_use(connection, key_id, now)
        except StoreDown as error:
            _log.debug("accounts.use_not_noted", key=key_id, cause=str(error.__cause__))

    def revoke_key(self, key_id: str, now: dt.datetime) -> bool:
        """End a key; False when there is none. One that ended before keeps its time."""
        with self._writing() as connection:
            return keys.end_key(connection, key_id, now)

    def _version(self) -> int:
        # Every request with a token comes by: a connection straight from the pool costs a third of one with a transaction.
        with store_errors():
            connection = self._readers.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(_VERSION)
                return int(cursor.fetchall()[0][0])
            finally:
                connection.close()

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return reading(self._readers)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with store_errors(), self._writer.connect() as connection, writing(connection, self._lock):
            yield connection

    @contextmanager
    def _ending(self) -> Iterator[sa.Connection]:
        with self._writing() as connection:
            yield connection
            _raise_version(connection)


def _raise_version(connection: sa.Connection) -> None:
    connection.exec_driver_sql("UPDATE revocation SET version = version + 1")
