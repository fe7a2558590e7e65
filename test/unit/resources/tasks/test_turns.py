"""The turn itself; that no update is lost where it is needed is in test/contract."""

import subprocess
import sys
import threading
import time

import pytest
from pymongo.errors import DuplicateKeyError

from main.resources.tasks.turns import Turns
from main.service.errors import StoreDown
from main.util.processes import identify, own_mark


class Documents:
    """A collection in memory that refuses a second document of the same id."""

    def __init__(self):
        self.kept, self.lock = {}, threading.Lock()

    def insert_one(self, document):
        with self.lock:
            if document["_id"] in self.kept:
                raise DuplicateKeyError("twice")
            self.kept[document["_id"]] = document

    def find_one(self, wanted):
        return self.kept.get(wanted["_id"])

    def delete_one(self, wanted):
        with self.lock:
            if self.kept.get(wanted["_id"], {}).get("owner") == wanted["owner"]:
                del self.kept[wanted["_id"]]


def test_one_at_a_time_has_the_turn_whether_they_share_a_process_or_not():
    documents, most, holders = Documents(), [], []
    processes = [Turns(), Turns()]

    def hold(turns):
        for _ in range(5):
            with turns.held(documents):
                holders.append(1)
                most.append(len(holders))
                time.sleep(0.001)
                holders.pop()

    threads = [threading.Thread(target=hold, args=(processes[number % 2],)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1] * 30
    assert documents.kept == {}


def test_the_turn_is_given_back_when_something_goes_wrong():
    documents, turns = Documents(), Turns()
    with pytest.raises(ZeroDivisionError), turns.held(documents):
        raise ZeroDivisionError
    with turns.held(documents):
        assert documents.kept


def test_the_turn_of_a_process_that_was_killed_is_over_after_a_while():
    documents = Documents()
    documents.insert_one({"_id": "turn", "owner": "killed", "at": time.time() - 20})
    with Turns().held(documents):
        assert documents.kept["turn"]["owner"] != "killed"


def test_the_turn_of_a_process_of_this_machine_is_over_soon_after_it_was_killed_and_not_before():
    documents = Documents()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as holder:
        held = {"_id": "turn", "owner": "other", "process": mark_of(holder.pid), "at": time.time()}
        documents.insert_one(held)
        with pytest.raises(StoreDown), Turns(settling=0, patience=0.2).held(documents):
            raise AssertionError
        holder.kill()
    with pytest.raises(StoreDown), Turns(patience=0.2).held(documents):
        raise AssertionError  # what it had sent may still be written
    with Turns(settling=0.1, patience=60).held(documents):
        assert documents.kept["turn"]["owner"] != "other"
    assert documents.kept == {}


def mark_of(pid):
    """What the process would say of itself."""
    return own_mark().partition("/")[0] + "/" + identify(pid)


def test_whoever_waits_too_long_is_told_and_takes_nothing_away():
    documents, turns = Documents(), Turns(patience=0.05)
    documents.insert_one({"_id": "turn", "owner": "other", "at": time.time()})
    with pytest.raises(StoreDown), turns.held(documents):
        raise AssertionError
    assert documents.kept["turn"]["owner"] == "other"
    del documents.kept["turn"]
    with turns.held(documents), pytest.raises(StoreDown), turns.held(documents):
        raise AssertionError
