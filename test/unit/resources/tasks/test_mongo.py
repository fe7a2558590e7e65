"""What holds for MongoDB's protocol only; what holds for every task store is in test/contract."""

import pytest
from pymongo import MongoClient

from main.resources.tasks.mongo import MongoTasks, patience_of
from test.fakes import make_task
from test.faults.databases import mongo


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    with mongo(tmp_path_factory.mktemp("mongo")) as make:
        yield make


@pytest.fixture
def url(databases):
    return databases()


@pytest.fixture
def store(url):
    store = MongoTasks(url)
    yield store
    store.close()


@pytest.fixture
def database(url):
    with MongoClient(url) as client:
        yield client.get_default_database()


def test_indexes_and_the_counter_are_there_once_it_is_open(store, database):
    store.open()
    keys = {tuple(index["key"]): index.get("unique", False) for index in database["tasks"].list_indexes()}
    plain = ("status", "product", "assignee", "title")
    assert keys == {("_id",): False, ("cause_key",): True, **{(name,): False for name in plain}} | {
        ("_id",): keys[("_id",)]  # some servers say that this one is unique, as it always is
    }
    assert database["task_counters"].find_one({"_id": "tasks"}) == {"_id": "tasks", "last": 0}


def test_writes_wait_for_the_majority_and_the_journal(store):
    with store._collections() as (tasks, counters):
        for collection in (tasks, counters):
            assert collection.write_concern.document == {"w": "majority", "j": True, "wtimeout": 10_000}
            assert collection.read_concern.level == "majority"


def test_a_number_that_a_task_still_has_after_a_reset_is_passed_over(store, database):
    store.load([make_task(id=2)], 0)
    database["task_counters"].update_one({"_id": "tasks"}, {"$set": {"last": 0}})
    assert [store.add(make_task()).id for _ in range(2)] == [1, 3]


def test_a_counter_that_somebody_dropped_is_made_again_and_numbers_that_are_in_use_passed_over(store, database):
    assert store.add(make_task()).id == 1
    database["task_counters"].drop()
    assert store.last_number() == 0
    assert store.add(make_task()).id == 2


def test_a_task_is_one_document_under_its_number(store, database):
    store.add(make_task("Mend", product="acme:1"))
    found = database["tasks"].find_one({"_id": 1})
    assert (found["title"], found["product"], found["cause"], found["version"]) == ("Mend", "acme:1", None, 1)


def test_a_url_may_say_itself_how_long_is_waited():
    assert set(patience_of("mongodb://a/x")) == {"serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS"}
    assert patience_of("mongodb://a/x?w=1&ServerSelectionTimeoutMS=5&connecttimeoutms=7") == {"socketTimeoutMS": 10_000}
