"""What holds for PostgreSQL only; what holds for every task store is in test/contract."""

import psycopg
import pytest

from main.resources.tasks.postgres import PostgresTasks
from main.resources.tasks.tables import SCHEMA
from main.service.errors import StoreDown
from test.fakes import make_task
from test.faults.databases import postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def url(server):
    return server.make_database()


@pytest.fixture
def store(url):
    store = PostgresTasks(url)
    store.open()
    yield store
    store.close()


def fetch(url, sql):
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


def test_a_new_database_has_the_schema_beside_whatever_else_is_in_it(url):
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('somebody elses')")
    store = PostgresTasks(url)
    store.open()
    store.close()
    assert fetch(url, f"SELECT version_num FROM {SCHEMA.table}") == [(SCHEMA.revision,)]
    assert fetch(url, "SELECT version_num FROM alembic_version") == [("somebody elses",)]


def test_a_database_of_a_newer_aisle_is_refused(url, store):
    with psycopg.connect(url) as connection:
        connection.execute(f"UPDATE {SCHEMA.table} SET version_num = '9999'".encode())
    with pytest.raises(StoreDown):
        PostgresTasks(url).open()


def test_what_is_answered_for_is_on_disk_whatever_the_server_does_by_itself(url, store):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off".encode())
    other = PostgresTasks(url)
    with other._writes() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    other.close()


def test_a_number_is_not_used_up_by_a_task_that_could_not_be_kept(store):
    with pytest.raises(StoreDown):
        store.add(make_task(created_by=None))
    assert store.add(make_task()).id == 1


def test_a_server_that_was_started_again_is_no_error(server, store):
    store.add(make_task())
    server.stop()
    with pytest.raises(StoreDown):
        store.count()
    server.start()
    assert store.count() == 1
    assert store.add(make_task()).id == 2
