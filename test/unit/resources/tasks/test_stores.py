import subprocess
import sys

import pytest

from main.resources.tasks.mongo import MongoTasks
from main.resources.tasks.postgres import PostgresTasks
from main.resources.tasks.sqlite import SqliteTasks
from main.resources.tasks.stores import kind_of, make_tasks


@pytest.mark.parametrize(
    ("url", "kind", "made"),
    [
        ("sqlite:///tasks.db", "sqlite", SqliteTasks),
        ("postgresql://aisle:pw@db.example/aisle", "postgresql", PostgresTasks),
        ("mongodb://a.example:27017,b.example/aisle?replicaSet=rs", "mongodb", MongoTasks),
        ("mongodb+srv://cluster.example/aisle", "mongodb", MongoTasks),
    ],
)
def test_a_url_names_its_store_and_nothing_is_opened_yet(tmp_path, url, kind, made):
    store = make_tasks(url, tmp_path)
    assert (kind_of(url), type(store)) == (kind, made)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_relative_file_is_inside_the_data_folder(tmp_path):
    store = make_tasks("sqlite:///boards/tasks.db", tmp_path)
    store.open()
    store.close()
    assert (tmp_path / "boards" / "tasks.db").exists()


def test_drivers_that_nobody_asked_for_are_not_loaded():
    code = "import sys, main.bootstrap; sys.exit(bool({'pymongo', 'psycopg'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
