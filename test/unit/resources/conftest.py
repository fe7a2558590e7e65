"""An opened SQLite database, with its catalogue, in a folder of its own."""

import sqlite3
from contextlib import closing

import pytest

from main.resources.catalogue.reader import SqliteReader
from main.resources.catalogue.writer import SqliteWriter


def fetch(path, sql):
    """All rows of a query, on a connection of its own."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "aisle.db"


@pytest.fixture
def writer(path):
    writer = SqliteWriter(path)
    writer.open()
    yield writer
    writer.close()


@pytest.fixture
def reader(path):
    reader = SqliteReader(path)
    reader.open()
    yield reader
    reader.close()
