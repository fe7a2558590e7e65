"""Tasks in MongoDB, or whatever speaks its protocol: one document a task, and one for the last number."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING, IndexModel, MongoClient, ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern

from main.resources.tasks.records import FILTERS, HISTORY, from_record, split_sort, to_record
from main.resources.tasks.turns import Turns, needs_turns
from main.service.errors import StoreDown
from main.service.model import TaskKind, TaskStatus
from main.util.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pymongo.collection import Collection
    from pymongo.database import Database

    from main.service.model import Task, TaskQuery

_DATABASE = "aisle"  # where the URL names none
_TASKS, _COUNTERS, _TURNS = "tasks", "task_counters", "task_turns"
_PATIENCE: dict[str, Any] = {"serverSelectionTimeoutMS": 3_000, "connectTimeoutMS": 3_000, "socketTimeoutMS": 10_000}
_DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)
_NUMBERED = {"_id": _TASKS}
# A task without a cause has its number there, since not every server can leave absent values out of a unique index.
_CAUSE = "cause_key"
_UNIQUE = IndexModel([(_CAUSE, ASCENDING)], unique=True)
_INDEXES = [_UNIQUE, *(IndexModel([(name, ASCENDING)]) for name in ("status", "product", "assignee", "title"))]


class MongoTasks:
    """Keeps tasks in the database that a URL names; nothing is connected before it is used."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: MongoClient[dict[str, Any]] | None = None
        self._opening = threading.Lock()
        self._turns: Turns | None = None

    def open(self) -> None:
        """Connect, and make the indexes and the counter where they are missing.

        Raises:
            StoreDown: the server cannot be used.
        """
        with self._collections():
            pass

    def ping(self) -> None:
        """Return when the store answers.

        Raises:
            StoreDown: it does not.
        """
        self.last_number()

    def close(self) -> None:
        """Close all connections."""
        with self._opening:
            if self._client is not None:
                self._client.close()
                self._client = None

    def add(self, task: Task) -> Task:
        """Keep a new task under the next number and give it; where its cause has a task already, that one.

        A process that is killed between the two steps, or another that is first with the same cause, leaves a number unused.
        """
        with self._writing() as (tasks, counters):
            while True:
                known = None if task.cause is None else tasks.find_one({_CAUSE: task.cause})
                if known is not None:
                    return _read(known)
                made = _write(task, _count_up(counters))
                # A number may be taken: by a task that was on its way while the board was reset.
                with suppress(DuplicateKeyError):
                    tasks.insert_one(made)
                    return _read(made)

    def get(self, task_id: int) -> Task | None:
        """Give one task with its history."""
        with self._collections() as (tasks, _):
            found = tasks.find_one({"_id": task_id})
            return None if found is None else _read(found)

    def find(self, query: TaskQuery) -> tuple[Sequence[Task], int]:
        """Give the page a query asks for, without histories, and how many tasks the whole result has."""
        name, falls = split_sort(query.sort)
        order = [("_id" if name == "id" else name, DESCENDING if falls else ASCENDING)]
        if name != "id":
            order.append(("_id", ASCENDING))
        wanted = _filter(query)
        with self._collections() as (tasks, _):
            total = tasks.count_documents(wanted)
            page = tasks.find(wanted, {HISTORY: False}).sort(order).skip((query.page - 1) * query.per_page)
            return [_read(found) for found in page.limit(query.per_page)], total

    def left_by_kind(self) -> dict[TaskKind, int]:
        """Give how many tasks of each kind are not done; a kind that has none is left out."""
        wanted = {"$match": {"status": {"$ne": TaskStatus.DONE.value}}}
        counted = {"$group": {"_id": "$kind", "number": {"$sum": 1}}}
        with self._collections() as (tasks, _):
            return {TaskKind(found["_id"]): int(found["number"]) for found in tasks.aggregate([wanted, counted])}

    def caused(self, prefix: str) -> Sequence[Task]:
        """Give all tasks whose cause starts with this, with their histories, by number."""
        with self._collections() as (tasks, _):
            return [_read(found) for found in tasks.find({_CAUSE: {"$regex": f"^{re.escape(prefix)}"}}).sort("_id", ASCENDING)]

    def replace(self, task: Task, expected: int) -> bool:
        """Put a task in the place of its ``expected`` version; False where it has another version or is gone."""
        if self._has_passed(task.id, expected):
            return False  # without waiting for a turn
        with self._writing() as (tasks, _):
            if self._has_passed(task.id, expected):
                return False  # others had their turns meanwhile
            done = tasks.replace_one({"_id": task.id, "version": expected}, _write(task, task.id))
            return done.matched_count == 1

    def _has_passed(self, task_id: int, version: int) -> bool:
        """Tell whether there is nothing of this version to change any more; asked only where writers take turns.

        Such a server looks through all tasks for a version that is not there, and everybody waits. By its id alone it finds one sooner.
        """
        if self._turns is None:
            return False
        with self._collections() as (tasks, _):
            found = tasks.find_one({"_id": task_id}, {"version": True})
            return found is None or found["version"] != version

    def delete(self, task_id: int, expected: int) -> bool:
        """Drop a task in its ``expected`` version; False where it has another version or is gone."""
        with self._writing() as (tasks, _):
            return tasks.delete_one({"_id": task_id, "version": expected}).deleted_count == 1

    def delete_titled(self, title: str) -> int:
        """Drop all tasks of exactly this title and give how many there were."""
        with self._writing() as (tasks, _):
            return tasks.delete_many({"title": title}).deleted_count

    def reset(self) -> int:
        """Drop all tasks and let numbers start anew; give how many there were."""
        with self._writing() as (tasks, counters):
            # In this order no task that was answered for meanwhile is dropped: it only keeps a number of the old count.
            dropped = tasks.delete_many({}).deleted_count
            counters.update_one(_NUMBERED, {"$set": {"last": 0}}, upsert=True)
            return dropped

    def count(self) -> int:
        """Give how many tasks there are."""
        with self._collections() as (tasks, _):
            return tasks.count_documents({})

    def last_number(self) -> int:
        """Give the last number that was given; 0 where none was."""
        with self._collections() as (_, counters):
            found = counters.find_one(_NUMBERED)
            return 0 if found is None else int(found["last"])

    def scan(self, after: int, limit: int) -> Sequence[Task]:
        """Give the first tasks after a number, with their histories, by number."""
        with self._collections() as (tasks, _):
            found = tasks.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(limit)
            return [_read(each) for each in found]

    def load(self, tasks: Iterable[Task], last: int) -> None:
        """Keep tasks of another store as they are, numbers and all, and give no number up to ``last`` again."""
        documents = [_write(task, task.id) for task in tasks]
        with self._writing() as (kept, counters):
            counters.update_one(_NUMBERED, {"$max": {"last": last}}, upsert=True)
            if documents:
                kept.insert_many(documents)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Collection[dict[str, Any]], Collection[dict[str, Any]]]]:
        """Give the tasks and the counter to one writer at a time where the server needs that, and to all at once elsewhere."""
        with self._collections() as (tasks, counters), self._turn(tasks.database):
            yield tasks, counters

    def _turn(self, database: Database[dict[str, Any]]) -> AbstractContextManager[None]:
        return nullcontext() if self._turns is None else self._turns.held(database[_TURNS])

    @contextmanager
    def _collections(self) -> Iterator[tuple[Collection[dict[str, Any]], Collection[dict[str, Any]]]]:
        """Give the tasks and the counter, with the driver's errors as ours."""
        try:
            database = self._connected().get_default_database(
                _DATABASE, write_concern=_DURABLE, read_concern=ReadConcern("majority")
            )
            yield database[_TASKS], database[_COUNTERS]
        except PyMongoError as error:
            raise StoreDown from error

    def _connected(self) -> MongoClient[dict[str, Any]]:
        with self._opening:
            if self._client is None:
                client: MongoClient[dict[str, Any]] = MongoClient(self._url, appname="aisle", **patience_of(self._url))
                try:
                    self._turns = Turns() if needs_turns(client) else None
                    _prepare(client.get_default_database(_DATABASE, write_concern=_DURABLE))
                except PyMongoError:
                    client.close()
                    raise
                self._client = client
            return self._client


def patience_of(url: str) -> dict[str, Any]:
    """Give how long is waited for a server, but for what the URL itself says of that."""
    said = url.partition("?")[2].lower()
    return {name: value for name, value in _PATIENCE.items() if f"{name.lower()}=" not in said}


def _prepare(database: Database[dict[str, Any]]) -> None:
    for index in _INDEXES:  # one by one: some servers break off at a list of which they have a part
        database[_TASKS].create_indexes([index])
    with suppress(DuplicateKeyError):  # another process makes it just now
        database[_COUNTERS].update_one(_NUMBERED, {"$setOnInsert": {"last": 0}}, upsert=True)


def _count_up(counters: Collection[dict[str, Any]]) -> int:
    counted: Any = counters.find_one_and_update(
        _NUMBERED, {"$inc": {"last": 1}}, upsert=True, return_document=ReturnDocument.AFTER
    )
    return int(counted["last"])


def _write(task: Task, number: int) -> dict[str, Any]:
    record = to_record(task)
    del record["id"]
    return {"_id": number, **record, _CAUSE: task.cause if task.cause is not None else f"#{number}"}


def _read(document: Mapping[str, Any]) -> Task:
    return from_record({**document, "id": document["_id"]})


def _filter(query: TaskQuery) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: {"$in": list(values)} for name in FILTERS if (values := getattr(query, name))}
    if query.words:
        wanted["$and"] = [{"text_key": {"$regex": re.escape(fold(word))}} for word in query.words]
    return wanted
