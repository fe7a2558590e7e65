"""An opened account store in a folder of its own, on a clock that stands still."""

import pytest

from main.resources.accounts.store import SqliteAccounts
from test.fakes import FakeClock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "aisle.db"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store(path, clock):
    store = SqliteAccounts(path, clock)
    store.open()
    yield store
    store.close()
