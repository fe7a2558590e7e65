"""What holds for SQLite only; what holds for every account store is in test/contract."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from main.resources.accounts.store import SqliteAccounts
from main.resources.catalogue.writer import SqliteWriter
from main.resources.database.engine import WriterLock
from main.service.errors import StoreDown
from main.service.model import ApiKey, Role
from test.fakes import NOW
from test.unit.resources.conftest import fetch

KEY = ApiKey(id="k1", name="till", role=Role.READER, created_at=NOW, expires_at=None)


@pytest.fixture
def ada(store):
    return store.add("ada", "hash", Role.READER, NOW)


def test_it_shares_the_catalogues_file_whoever_comes_first(path, store):
    writer = SqliteWriter(path)
    writer.open()
    assert writer.acquire("acme", "me", NOW + timedelta(seconds=30), NOW)
    writer.close()
    assert fetch(path, "SELECT count(*) FROM account") == [(0,)]


def test_nobody_else_can_read_the_file_not_even_one_that_was_there_before(tmp_path):
    path = tmp_path / "aisle.db"
    writer = SqliteWriter(path)
    writer.open()
    path.chmod(0o644)
    store = SqliteAccounts(path)
    store.open()
    store.ping()  # a connection that stays, and with it what SQLite keeps beside the file
    store.add("ada", "hash", Role.READER, NOW)
    assert {file.name: file.stat().st_mode & 0o077 for file in tmp_path.glob("aisle.db*")} == {
        "aisle.db": 0,
        "aisle.db-wal": 0,
        "aisle.db-shm": 0,
        "aisle.db.writer": 0,
    }
    store.close()


def test_the_folder_and_those_above_it_are_made(tmp_path):
    for _ in range(2):
        store = SqliteAccounts(tmp_path / "above" / "data" / "aisle.db")
        store.open()
        store.ping()
        store.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the open files of a process are shown by Linux only")
def test_what_is_closed_holds_no_file_open(path, store, ada):
    def held():
        links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        return [link.readlink() for link in links if link.readlink().parent == path.parent]

    assert (store.find("ada"), len(held()) > 0) == (ada, True)
    store.close()
    assert held() == []


@pytest.mark.parametrize("damaged", ["file", "folder"])
def test_a_path_that_is_no_database_is_refused(tmp_path, damaged):
    path = tmp_path / "aisle.db"
    path.mkdir() if damaged == "folder" else path.write_bytes(b"This is not a database. " * 500)
    with pytest.raises(StoreDown):
        SqliteAccounts(path).open()


def test_only_the_version_is_read_while_nothing_has_moved(store, ada):
    first = store.revocations()
    assert store.revocations() is first
    store.start_family(ada.id, "family", "one", NOW + timedelta(days=1))
    store.rotate("family", "one", "two", NOW)
    assert store.revocations() is first
    store.end_family("family")
    assert store.revocations() is not first


def test_a_login_that_ended_is_told_for_an_hour(store, ada, clock):
    store.start_family(ada.id, "family", "one", NOW + timedelta(days=30))
    store.end_family("family")
    clock.advance(3600)
    store.set_enabled(ada.id, enabled=True)
    assert store.revocations().ended == {"family"}
    clock.advance(1)
    store.set_enabled(ada.id, enabled=True)
    assert store.revocations().ended == frozenset()


def test_logins_that_are_over_are_swept_when_the_next_begins(path, store, ada, clock):
    store.start_family(ada.id, "old", "one", NOW + timedelta(days=1))
    clock.advance(25 * 3600)
    store.start_family(ada.id, "young", "one", clock.now() + timedelta(days=1))
    assert fetch(path, "SELECT family FROM token_family ORDER BY family") == [("old",), ("young",)]
    clock.advance(1)
    store.start_family(ada.id, "younger", "one", clock.now() + timedelta(days=1))
    assert fetch(path, "SELECT family FROM token_family ORDER BY family") == [("young",), ("younger",)]


def test_keys_that_ended_a_month_ago_are_swept_when_the_next_is_made(store, clock):
    for name in ("over", "revoked", "lasting"):
        until = NOW + timedelta(hours=1) if name == "over" else None
        store.add_key(ApiKey(id=name, name=name, role=Role.READER, created_at=NOW, expires_at=until), name.encode())
    store.revoke_key("revoked", NOW)
    clock.advance(30 * 24 * 3600)
    listed = []
    for wait in (0, 1, 3599, 1):
        clock.advance(wait)
        store.add_key(replace(KEY, id=f"new {wait} {len(listed)}"), str(len(listed)).encode())
        kept = store.keys()
        listed.append({key.id for key in kept if not key.id.startswith("new")})
    assert listed == [{"lasting", "over", "revoked"}, {"lasting", "over"}, {"lasting", "over"}, {"lasting"}]


def test_the_use_of_a_key_is_written_every_five_minutes_at_most(path, store):
    store.add_key(KEY, b"one")
    other = SqliteAccounts(path)
    for seconds, by, noted in ((0, store, 0), (299, store, 0), (299, other, 0), (300, store, 300), (700, other, 700)):
        by.touch_key("k1", NOW + timedelta(seconds=seconds))
        assert store.find_key(b"one").last_used_at == NOW + timedelta(seconds=noted)
    other.close()


def test_who_has_just_noted_a_use_does_not_go_to_the_disk_for_the_next(path, store):
    store.add_key(KEY, b"one")
    store.touch_key("k1", NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE api_key SET last_used_at = NULL")
    store.touch_key("k1", NOW + timedelta(seconds=299))
    assert store.find_key(b"one").last_used_at is None


def test_noting_the_use_of_a_key_never_waits_for_a_writer(path, store):
    store.add_key(KEY, b"one")
    with WriterLock(path).held():
        store.touch_key("k1", NOW)
    assert store.find_key(b"one").last_used_at is None


def test_a_writer_that_takes_long_is_not_waited_for_for_ever_and_readers_do_not_wait_at_all(path, store, ada):
    hasty = SqliteAccounts(path, patience=0.05)
    with WriterLock(path).held():
        with pytest.raises(StoreDown):
            hasty.start_family(ada.id, "family", "one", NOW)
        assert hasty.find("ada") == ada
        assert hasty.revocations().generations == {ada.id: 1}
        waiting = threading.Thread(target=store.end_family, args=("family",))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
    waiting.join(20)
    assert not waiting.is_alive()
    hasty.close()


def test_a_refresh_token_that_is_used_again_ends_its_login_for_every_process(path, store, ada, clock):
    other = SqliteAccounts(path, clock)
    store.start_family(ada.id, "family", "one", NOW + timedelta(days=1))
    assert store.rotate("family", "one", "two", NOW)
    assert other.revocations().ended == frozenset()
    assert not store.rotate("family", "one", "three", NOW)
    assert other.revocations().ended == {"family"}
    assert not store.rotate("family", "two", "three", NOW)
    other.close()


def test_another_password_and_switching_off_end_a_login_and_a_rehash_does_not(store, ada):
    for change, goes_on in (
        (lambda: store.set_password(ada.id, "rehashed", revoke=False), True),
        (lambda: store.set_password(ada.id, "other", revoke=True), False),
        (lambda: store.set_enabled(ada.id, enabled=False), False),
    ):
        store.start_family(ada.id, f"family {change}", "one", NOW + timedelta(days=1))
        generation = store.get(ada.id).generation
        change()
        assert store.get(ada.id).generation == generation + (not goes_on)
        assert store.rotate(f"family {change}", "one", "two", NOW) is goes_on


def test_switching_an_account_on_ends_nothing(store, ada):
    store.start_family(ada.id, "family", "one", NOW + timedelta(days=1))
    store.set_enabled(ada.id, enabled=True)
    assert store.revocations().generations == {ada.id: ada.generation}
    assert store.rotate("family", "one", "two", NOW)
