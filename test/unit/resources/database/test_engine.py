"""What holds for SQLite only; what holds for every catalogue is in test/contract."""

import sqlite3
import threading
from contextlib import closing

import pytest
import sqlalchemy as sa

from main.controller.documents import dump_product
from main.resources.catalogue.reader import SqliteReader
from main.resources.catalogue.rows import STAGED_COLUMNS, product_row
from main.resources.catalogue.writer import SqliteWriter
from main.resources.database import engine as engine_module
from main.resources.database.engine import (
    REVISION,
    WriterLock,
    keep_private,
    make_engine,
    migrate,
    sqlite_path,
    store_errors,
    writing,
)
from main.service.errors import LeaseLost, StoreDown
from main.service.model import FACETS, Availability, Bucket, Query
from main.service.words import parse_words
from test.contract.oracle import count_facet
from test.fakes import NOW, make_product, put_snapshot
from test.unit.resources.conftest import fetch

TABLES = {"alembic_version", "catalogue", "product", "product_index", "source", "lease", "held", "quarantine", "sync"} | {
    "heartbeat",
    "shape",
    "account",
    "token_family",
    "api_key",
    "revocation",
}


def pragmas(path, *, writer):
    engine = make_engine(path, writer=writer)
    names = ("journal_mode", "synchronous", "busy_timeout", "temp_store", "cache_size", "journal_size_limit", "query_only")
    with engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    engine.dispose()
    return found


@pytest.mark.parametrize("writer", [True, False])
def test_every_connection_is_durable_patient_and_small(tmp_path, writer):
    assert pragmas(tmp_path / "aisle.db", writer=writer) == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "busy_timeout": 10_000,
        "temp_store": 1,  # FILE
        "cache_size": -64_000 if writer else -1000,
        "journal_size_limit": 64 * 2**20,
        "query_only": 0 if writer else 1,
    }


def test_a_readers_connection_cannot_write(tmp_path, writer, path):
    engine = make_engine(path, writer=False)
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.exec_driver_sql("UPDATE catalogue SET version = 9")
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "expected"),
    [("sqlite:///aisle.db", "DATA/aisle.db"), ("sqlite:////srv/x.db", "/srv/x.db"), ("sqlite://", "DATA/aisle.db")],
)
def test_a_relative_database_is_inside_the_data_folder(tmp_path, url, expected):
    assert str(sqlite_path(url, tmp_path)) == expected.replace("DATA", str(tmp_path))


def test_a_new_database_has_the_whole_schema_and_its_revision(writer, path):
    assert {row[0] for row in fetch(path, "SELECT name FROM sqlite_master")} >= TABLES
    assert fetch(path, "SELECT version_num FROM alembic_version") == [(REVISION,)]


def test_the_revision_looked_for_is_that_of_the_newest_migration():
    newest = max((engine_module._MIGRATIONS / "versions").glob("*.py"))
    assert newest.name.partition("_")[0] == REVISION  # else no database made before it would ever get it


def test_migrating_again_changes_nothing(writer, path):
    before = fetch(path, "PRAGMA schema_version")
    for store in (SqliteWriter(path), SqliteReader(path)):
        store.open()
        store.close()
    assert fetch(path, "PRAGMA schema_version") == before
    assert fetch(path, "SELECT count(*) FROM alembic_version") == [(1,)]


def make_database_of(revision, path, monkeypatch):
    """A database as the release with this revision made it."""
    old = path.parent / "old"
    (old / "versions").mkdir(parents=True)
    (old / "env.py").write_bytes((engine_module._MIGRATIONS / "env.py").read_bytes())
    for version in (engine_module._MIGRATIONS / "versions").glob("*.py"):
        if version.name[:4] <= revision:
            (old / "versions" / version.name).write_bytes(version.read_bytes())
    with monkeypatch.context() as patched:
        patched.setattr(engine_module, "_MIGRATIONS", old)
        patched.setattr(engine_module, "REVISION", revision)
        SqliteWriter(path).open()


def test_products_with_their_documents_in_their_rows_are_brought_over(path, monkeypatch):
    products = [
        make_product(1, brand="Halden", category="Lamps", gtin="04006381333931", availability=Availability.IN_STOCK),
        make_product(2, brand="HALDEN", price=None, description="Of brass."),
        make_product(3, category="Lamps", price=10**9),
    ]
    make_database_of("0005", path, monkeypatch)
    columns = ", ".join(STAGED_COLUMNS)
    with closing(sqlite3.connect(path)) as connection, connection:
        for product in products:
            row = product_row(product, dump_product(product), product.source_id.encode())
            connection.execute(f"INSERT INTO product ({columns}) VALUES ({', '.join('?' * len(row))})", row)
        connection.execute("UPDATE product SET key = key * 10")  # as if others had been there before
        texts = "name, brand, category, codes, description"
        connection.execute(f"INSERT INTO product_index (rowid, {texts}) SELECT key, {texts} FROM product_text")
        connection.execute("INSERT INTO source (name, products) VALUES ('acme', 3)")
    reader, writer = SqliteReader(path), SqliteWriter(path)
    reader.open()
    for product in products:
        assert reader.get(product.id) == dump_product(product)
    hits = reader.find(Query(facets=FACETS))[1]
    assert sorted(hits.documents) == sorted(map(dump_product, products))
    assert hits.facets == {facet: count_facet(products, facet) for facet in FACETS}
    hits = reader.find(Query(terms=parse_words("brass"), facets=FACETS))[1]
    assert (hits.total, hits.facets) == (1, {facet: count_facet(products[1:2], facet) for facet in FACETS})
    put_snapshot(writer, "acme", products[:1])
    assert reader.find(Query(facets=("brand",)))[1].facets == {"brand": (Bucket("Halden", 1),)}
    reader.close()
    assert fetch(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_database_of_the_first_release_keeps_its_data(path, monkeypatch):
    make_database_of("0001", path, monkeypatch)
    figures = "products, rejected, created, updated, deleted, pages, error_type, error, version"
    ended = [
        (3, "acme", "ok", 1_000, 1_250, 2, 1, 2, 0, 0, 1, None, None, 1),
        (7, "depot", "failed", 2_000, 2_500, 0, 0, 0, 0, 0, 4, "UpstreamTimeout", "too slow", None),
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE catalogue SET version = 1")
        connection.execute("INSERT INTO source (name, products, synced_at, next_sync_at) VALUES ('acme', 2, 1250, 9000)")
        marks = ", ".join("?" * 14)
        connection.executemany(
            f"INSERT INTO sync (id, source, outcome, started_at, finished_at, {figures}) VALUES ({marks})", ended
        )
    writer, reader = SqliteWriter(path), SqliteReader(path)
    reader.open()
    assert fetch(path, "SELECT version_num FROM alembic_version") == [(REVISION,)]
    kept = f"SELECT id, source, state, started_at, finished_at, {figures} FROM sync ORDER BY id"
    assert fetch(path, kept) == ended
    assert fetch(path, "SELECT requested_at, force, received, total FROM sync") == [(None, 0, 0, None)] * 2
    record = reader.head().records["acme"]
    assert (record.products, record.last_sync.id, record.drift) == (2, 3, None)
    assert writer.request("acme", NOW, force=False).id == 8
    put_snapshot(writer, "acme", [make_product(1)])
    reader.close()
    assert fetch(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_migration_that_waited_for_another_finds_it_done(tmp_path):
    path, lock = tmp_path / "aisle.db", WriterLock(tmp_path / "aisle.db")
    first = make_engine(path, writer=True)
    waiting = threading.Thread(target=lambda: migrate(make_engine(path, writer=True), WriterLock(path)))
    with lock.held():
        waiting.start()
        engine_module._upgrade(first)
    waiting.join(20)
    assert not waiting.is_alive()
    with first.connect() as connection:
        assert connection.exec_driver_sql("SELECT version FROM catalogue").all() == [(0,)]


def test_many_first_opens_at_once_make_one_schema(path):
    together, errors = threading.Barrier(8), []

    def open_one():
        together.wait(20)
        try:
            SqliteWriter(path).open()
        except StoreDown as error:
            errors.append(error.__cause__)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert fetch(path, "SELECT version FROM catalogue") == [(0,)]


def test_a_migration_that_fails_leaves_nothing_behind(path, monkeypatch, tmp_path):
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_bytes((engine_module._MIGRATIONS / "env.py").read_bytes())
    broken = (engine_module._MIGRATIONS / "versions" / "0001_catalogue.py").read_text() + "\n    op.execute('nonsense')\n"
    (tmp_path / "versions" / "0001_catalogue.py").write_text(broken)
    with monkeypatch.context() as patched:
        patched.setattr(engine_module, "_MIGRATIONS", tmp_path)
        with pytest.raises(StoreDown):
            SqliteWriter(path).open()
    assert fetch(path, "SELECT count(*) FROM sqlite_master") == [(0,)]
    SqliteWriter(path).open()


def test_a_database_of_a_newer_aisle_is_refused(writer, path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for store in (SqliteWriter(path), SqliteReader(path)):
        with pytest.raises(StoreDown, match="revision 9999, which this version does not know"):
            store.open()


@pytest.mark.parametrize("store", [SqliteReader, SqliteWriter])
def test_a_path_that_is_no_file_is_refused(tmp_path, store):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "aisle.db", tmp_path / "folder"):
        with pytest.raises(StoreDown):
            store(path).open()


def test_a_database_and_what_lies_beside_it_is_kept_private_and_what_is_not_there_is_no_fault(tmp_path):
    path, beside = tmp_path / "aisle.db", tmp_path / "aisle.db-wal"
    keep_private(path)
    for file in (path, beside):
        file.touch(0o644)
    path.chmod(0o400)
    keep_private(path)
    assert [file.stat().st_mode & 0o777 for file in (path, beside)] == [0o400, 0o600]


def test_one_writer_at_a_time_among_threads_and_connections(tmp_path):
    lock, inside = WriterLock(tmp_path / "aisle.db"), []

    def enter(name):
        with lock.held():
            inside.append(name)
            if name == "first":
                second.start()
                second.join(0.2)
            inside.append(name)

    second = threading.Thread(target=enter, args=("second",))
    enter("first")
    second.join(20)
    assert inside == ["first", "first", "second", "second"]


def test_a_writer_with_little_patience_does_not_wait_for_another(writer, path):
    patient, hasty = SqliteWriter(path, patience=60), SqliteWriter(path, patience=0.05)
    with WriterLock(path).held():
        with pytest.raises(StoreDown):
            hasty.request("acme", NOW, force=False)
        waiting = threading.Thread(target=patient.request, args=("acme", NOW), kwargs={"force": True})
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
    waiting.join(20)
    assert fetch(path, "SELECT state, force FROM sync") == [("requested", 1)]


def test_a_transaction_is_committed_at_the_end_and_rolled_back_on_any_error(writer, path):
    engine, lock = make_engine(path, writer=True), WriterLock(path)

    def change(error=None):
        with writing(connection, lock) as transaction:
            transaction.exec_driver_sql("UPDATE catalogue SET version = version + 1")
            if error:
                raise error

    with engine.connect() as connection:
        change()
        for error in (LeaseLost(), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                change(error)
        with pytest.raises(StoreDown):
            change(sqlite3.OperationalError("disk I/O error"))
        assert connection.exec_driver_sql("SELECT version FROM catalogue").scalar() == 1


@pytest.mark.parametrize("error", [sqlite3.OperationalError("x"), sa.exc.TimeoutError("x"), OSError("x")])
def test_errors_of_the_driver_become_ours_with_their_cause(error):
    with pytest.raises(StoreDown) as caught, store_errors():
        raise error
    assert caught.value.__cause__ is error


def test_other_errors_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), store_errors():
        raise ZeroDivisionError
