"""What holds for SQLite only; what holds for every task store is in test/contract."""

import sqlite3
import threading
from contextlib import closing

import pytest

from main.resources.database.engine import WriterLock
from main.resources.tasks.sqlite import SqliteTasks
from main.resources.tasks.tables import SCHEMA
from main.service.errors import StoreDown
from main.service.model import TaskQuery
from test.fakes import make_task
from test.unit.resources.conftest import fetch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "tasks.db"


@pytest.fixture
def store(path):
    store = SqliteTasks(path)
    store.open()
    yield store
    store.close()


def test_a_new_file_has_the_schema_and_is_for_its_owners_eyes(path, store):
    names = {row[0] for row in fetch(path, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    indexes = {f"task_{name}" for name in ("cause", "status", "product", "assignee", "title")}
    assert names == {"task", "task_counter", SCHEMA.table, *indexes}
    assert fetch(path, f"SELECT version_num FROM {SCHEMA.table}") == [(SCHEMA.revision,)]
    assert fetch(path, "SELECT id, last FROM task_counter") == [(1, 0)]
    assert path.stat().st_mode & 0o077 == 0


def test_a_store_that_nobody_opened_opens_itself(path):
    store = SqliteTasks(path)
    assert store.add(make_task()).id == 1
    store.close()


def test_a_file_that_could_not_be_used_is_used_as_soon_as_it_can(path):
    path.parent.mkdir()
    path.write_bytes(b"This is not a database. " * 500)
    store = SqliteTasks(path)
    with pytest.raises(StoreDown):
        store.open()
    path.unlink()
    assert store.find(TaskQuery()) == ([], 0)
    store.close()


def test_a_file_of_a_newer_aisle_is_refused(path, store):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {SCHEMA.table} SET version_num = '9999'")
    with pytest.raises(StoreDown):
        SqliteTasks(path).open()


def test_whoever_waits_too_long_for_another_writer_is_told(path, store):
    hasty = SqliteTasks(path, patience=0.1)
    with WriterLock(path).held(), pytest.raises(StoreDown):
        hasty.add(make_task())
    assert hasty.add(make_task()).id == 1
    hasty.close()


def test_a_number_is_not_used_up_by_a_task_that_could_not_be_kept(store):
    with pytest.raises(StoreDown):
        store.add(make_task(created_by=None))
    assert store.add(make_task()).id == 1


def test_threads_that_open_at_once_prepare_it_once(path):
    store, together = SqliteTasks(path), threading.Barrier(6)
    calls, prepare = [], store._prepare

    def count():
        calls.append(1)
        prepare()

    store._prepare = count
    threads = [threading.Thread(target=lambda: (together.wait(20), store.open())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert calls == [1]
    store.close()
