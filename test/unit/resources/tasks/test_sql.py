"""What the SQL stores share, beside what the contract asks of each."""

import pytest

from main.resources.tasks.sql import SqlTasks
from main.resources.tasks.sqlite import SqliteTasks
from main.service.errors import StoreDown
from test.fakes import make_task


@pytest.fixture
def store(tmp_path):
    store = SqliteTasks(tmp_path / "tasks.db")
    yield store
    store.close()


def test_a_database_has_to_say_how_it_is_spoken_to():
    with pytest.raises(TypeError, match="abstract"):
        SqlTasks()


def test_a_load_that_fails_leaves_nothing_behind(store):
    store.load([make_task(id=1)], 1)
    with pytest.raises(StoreDown):
        store.load([make_task(id=2), make_task(id=1)], 9)
    assert (store.count(), store.last_number()) == (1, 1)


def test_a_second_task_of_a_cause_cannot_be_loaded(store):
    with pytest.raises(StoreDown):
        store.load([make_task(id=1, cause="x"), make_task(id=2, cause="x")], 2)
    assert store.count() == 0
