"""What every task store must do, alone and when several processes use it."""

import datetime as dt
import random
import threading
from collections import Counter
from dataclasses import replace

import pytest

from main.service.errors import StoreDown
from main.service.model import HISTORY_LIMIT, Resolution, TaskKind, TaskQuery, TaskStatus
from main.service.taskcopy import Copied, TaskCopy
from test.contract.processes import PATIENCE, run_together, second_process
from test.contract.taskchild import CREATIONS, UPDATES, WRITERS
from test.contract.taskstores import DURABLE_TASKS, TASK_STORES
from test.fakes import NOW, MemoryTasks, make_task

LATER = NOW + dt.timedelta(hours=1, milliseconds=7)
STRANGE = "q' \"; --\\ %_ $where {$gt: 1} \N{GREEK SMALL LETTER FINAL SIGMA}\N{PILE OF POO} <b>\u202ertl"
durable = pytest.mark.parametrize("backend", DURABLE_TASKS, ids=lambda backend: backend.name)


@pytest.fixture(params=TASK_STORES.values(), ids=TASK_STORES)
def backend(request):
    return request.param


@pytest.fixture
def place(backend, databases, tmp_path):
    return str(tmp_path) if backend.served is None else databases(backend.served)


@pytest.fixture
def store(backend, place):
    store = backend.make(place)
    store.open()
    yield store
    store.close()


def ids(found):
    return [task.id for task in found[0]]


def fill(store):
    """Six tasks that differ in everything there is to filter and sort by."""
    given = [
        {"title": "beta", "priority": 2, "product": "acme:1", "assignee": "ada", "updated_at": LATER},
        {"title": "Alpha", "priority": 5, "product": "acme:2", "short_description": "the lamp is DARK"},
        {"title": "alpha", "priority": 1, "status": TaskStatus.DOING, "assignee": "ben", "created_at": LATER},
        {"title": "Ähre", "priority": 2, "kind": TaskKind.MISMATCH, "cause": "mismatch:1"},
        {"title": "100% _sure_", "status": TaskStatus.DONE, "resolution": Resolution.WONT_FIX},
        {"title": "gamma lamp", "product": "acme:1", "short_description": "a (dark) [one]* a+b?"},
    ]
    return [store.add(make_task(**each)) for each in given]


def test_a_task_comes_back_as_it_was_kept(store):
    made = store.add(
        make_task(
            STRANGE,
            short_description=f"{STRANGE}\n\nsecond line",
            priority=1,
            status=TaskStatus.DONE,
            resolution=Resolution.WONT_FIX,
            kind=TaskKind.PRICE_SPREAD,
            product="acme:Straße/1",
            assignee="ada",
            cause="price_spread:acme:1",
            updated_at=LATER,
        )
    )
    assert (made.id, made.title, made.version) == (1, STRANGE, 1)
    assert store.get(1) == made
    changed = made.changed({"title": "other", "resolution": Resolution.FIXED, "product": None}, LATER, "ben")
    assert store.replace(changed, 1)
    assert store.get(1) == changed
    assert [(step.version, step.by, step.at) for step in store.get(1).history] == [(2, "ben", LATER)]


def test_what_is_left_is_counted_by_kind(store):
    assert dict(store.left_by_kind()) == {}
    fill(store)
    assert dict(store.left_by_kind()) == {TaskKind.MANUAL: 4, TaskKind.MISMATCH: 1}


def test_numbers_count_up_and_are_not_given_again(store):
    assert [store.add(make_task()).id for _ in range(3)] == [1, 2, 3]
    assert store.delete(3, 1)
    assert store.delete(1, 1)
    assert store.add(make_task()).id == 4
    assert (store.count(), store.last_number()) == (2, 4)


def test_a_reset_drops_all_and_numbers_start_anew(store):
    fill(store)
    assert store.reset() == 6
    assert (store.count(), store.last_number(), store.find(TaskQuery())) == (0, 0, ([], 0))
    assert store.reset() == 0
    assert store.add(make_task()).id == 1


def test_what_is_not_there_is_not_found(store):
    store.add(make_task())
    for nobody in (0, -1, 2, 2**53):
        assert store.get(nobody) is None
        assert not store.delete(nobody, 1)
        assert not store.replace(make_task(id=nobody), 1)
    assert store.count() == 1


def test_a_task_is_replaced_and_dropped_only_in_the_version_that_was_seen(store):
    seen = store.add(make_task())
    first, second = (seen.changed({"title": title}, NOW, title) for title in ("first", "second"))
    assert store.replace(first, 1)
    assert not store.replace(second, 1)
    assert not store.delete(seen.id, 1)
    assert store.get(seen.id) == first
    assert store.delete(seen.id, 2)
    assert not store.delete(seen.id, 2)
    assert not store.replace(first.changed({"title": "third"}, NOW, "cleo"), 2)
    assert store.get(seen.id) is None


def test_a_cause_has_one_task_and_a_second_takes_no_number(store):
    first = store.add(make_task(cause="quarantine:acme:7"))
    assert store.add(make_task("again", cause="quarantine:acme:7")) == first
    assert store.add(make_task()).id == 2
    assert store.add(make_task()).id == 3
    assert store.delete(first.id, 1)
    assert store.add(make_task("again", cause="quarantine:acme:7")).id == 4


def test_tasks_of_a_cause_are_found_by_how_it_begins(store):
    for cause in ("quarantine:a%b:2", "quarantine:a%b:1", "quarantine:axb:3", "QUARANTINE:a%b:4", None):
        store.add(make_task(cause=cause))
    assert [task.id for task in store.caused("quarantine:a%b:")] == [1, 2]
    assert [task.id for task in store.caused("quarantine:")] == [1, 2, 3]
    assert store.caused("mismatch:") == []


def test_tasks_are_dropped_by_their_exact_title(store):
    for title in ("Mend", "mend", "Mend it", "Mend"):
        store.add(make_task(title))
    assert store.delete_titled("Mend") == 2
    assert [task.title for task in store.find(TaskQuery())[0]] == ["mend", "Mend it"]
    assert store.delete_titled("Mend") == store.delete_titled(STRANGE) == 0


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"status": ("open",)}, [1, 2, 4, 6]),
        ({"status": ("doing", "done")}, [3, 5]),
        ({"priority": (1, 2)}, [1, 3, 4]),
        ({"kind": ("mismatch",)}, [4]),
        ({"product": ("acme:1",)}, [1, 6]),
        ({"product": ("acme:1", "acme:2"), "priority": (2,)}, [1]),
        ({"assignee": ("ada", "ben")}, [1, 3]),
        ({"assignee": ("Ada",)}, []),
        ({"words": ("ALPHA",)}, [2, 3]),
        ({"words": ("dark", "lamp")}, [2, 6]),
        ({"words": ("äh",)}, [4]),
        ({"words": ("%",)}, [5]),
        ({"words": ("_",)}, [5]),
        ({"words": ("(dark)", "[one]*", "a+b?")}, [6]),
        ({"words": ("\\",)}, []),
        ({"words": (".*",)}, []),
        ({"sort": "-id"}, [6, 5, 4, 3, 2, 1]),
        ({"sort": "priority"}, [3, 1, 4, 5, 6, 2]),
        ({"sort": "-priority"}, [2, 5, 6, 1, 4, 3]),
        ({"sort": "title"}, [5, 2, 3, 1, 6, 4]),
        ({"sort": "-title"}, [4, 6, 1, 2, 3, 5]),
        ({"sort": "created"}, [1, 2, 4, 5, 6, 3]),
        ({"sort": "-updated"}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_tasks_are_filtered_and_sorted(store, wanted, expected):
    fill(store)
    found = store.find(TaskQuery(**wanted))
    assert (ids(found), found[1]) == (expected, len(expected))


def test_pages_add_up_to_the_whole_result(store):
    fill(store)
    pages = [store.find(TaskQuery(sort="-priority", page=page, per_page=4)) for page in (1, 2, 3)]
    assert [ids(page) for page in pages] == [[2, 5, 6, 1], [4, 3], []]
    assert {page[1] for page in pages} == {6}


def test_a_list_has_everything_but_the_histories(store):
    made = store.add(make_task())
    changed = made.changed({"title": "other"}, LATER, "ben")
    store.replace(changed, 1)
    assert store.find(TaskQuery())[0] == [replace(changed, history=())]


def test_a_long_history_is_kept_whole(store):
    task = store.add(make_task())
    for number in range(HISTORY_LIMIT + 2):
        task = task.changed({"title": f"title {number}"}, NOW, "ada")
    assert store.replace(task, 1)
    assert store.get(1).history == task.history
    assert len(task.history) == HISTORY_LIMIT


def test_tasks_of_another_store_are_loaded_as_they_are(store):
    changed = make_task(id=5, cause="mismatch:5").changed({"title": "other"}, LATER, "ben")
    store.load([make_task(id=3), changed], 9)
    assert (store.get(5), store.count(), store.last_number()) == (changed, 2, 9)
    store.load([], 4)
    assert store.last_number() == 9
    assert store.add(make_task()).id == 10
    assert store.add(make_task(cause="mismatch:5")).id == 5
    assert store.scan(0, 2) == [store.get(3), changed]
    assert [task.id for task in store.scan(3, 9)] == [5, 10]
    assert store.scan(10, 9) == []


def test_a_board_is_carried_into_a_store_and_out_again_without_losing_a_comma(store):
    first, last = MemoryTasks(), MemoryTasks()
    for task in fill(first):
        first.replace(task.changed({"title": STRANGE, "assignee": None, "status": TaskStatus.DOING}, LATER, "ben"), 1)
    first.delete(2, 2)
    first.delete(6, 2)
    assert TaskCopy(first, store, batch=2).run() == Copied(4, 4, 6)
    assert TaskCopy(first, store, batch=3).run() == Copied(4, 0, 6)
    assert TaskCopy(store, last, batch=1).run() == Copied(4, 4, 6)
    assert (last.kept, last.last) == (first.kept, 6)


def test_opening_again_changes_nothing_and_closing_twice_is_harmless(backend, place, store):
    fill(store)
    store.open()
    store.ping()
    other = store if not backend.durable else backend.make(place)
    other.open()
    assert other.find(TaskQuery()) == store.find(TaskQuery())
    other.close()
    other.close()


def test_a_store_that_is_down_says_so_in_our_words(backend, tmp_path):
    store = backend.down(tmp_path)
    for call in (
        store.open,
        store.ping,
        store.count,
        store.last_number,
        store.reset,
        lambda: store.add(make_task()),
        lambda: store.get(1),
        lambda: store.find(TaskQuery()),
        lambda: store.caused("x"),
        lambda: store.replace(make_task(id=1), 1),
        lambda: store.delete(1, 1),
        lambda: store.delete_titled("x"),
        lambda: store.scan(0, 1),
        lambda: store.load([], 1),
    ):
        with pytest.raises(StoreDown):
            call()
    store.close()


def test_many_threads_at_once_get_numbers_of_their_own(store):
    together, found = threading.Barrier(8), []

    def add_some():
        together.wait(20)
        found.extend(store.add(make_task()).id for _ in range(5))

    threads = [threading.Thread(target=add_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(found) == list(range(1, 41))


def child(backend, place, action, argument=""):
    return second_process("test.contract.taskchild", backend.name, place, action, argument)


@durable
def test_sixteen_writers_of_four_processes_double_or_leave_out_no_number_and_lose_no_update(backend, store, place):
    store.add(make_task(short_description="0"))
    given = [
        int(number) for said in run_together(child(backend, place, "write", name) for name in "abcd") for number in said.split()
    ]
    writers = [f"{process}{thread}" for process in "abcd" for thread in range(WRITERS)]
    assert len(writers) == 16
    assert sorted(given) == list(range(2, 2 + 16 * CREATIONS))
    assert store.find(TaskQuery())[1] == store.last_number() == 1 + 16 * CREATIONS
    counted = store.get(1)
    assert (counted.short_description, counted.version) == (str(16 * UPDATES), 1 + 16 * UPDATES)
    assert [step.version for step in counted.history] == list(range(2, 2 + 16 * UPDATES))
    assert Counter(step.by for step in counted.history) == dict.fromkeys(writers, UPDATES)


@durable
def test_a_cause_that_several_processes_find_at_once_becomes_one_task(backend, store, place):
    said = [told.split() for told in run_together(child(backend, place, "cause", name) for name in "abcdef")]
    assert said == [[str(store.find(TaskQuery())[0][0].id)]] * 6
    assert store.count() == 1


@durable
def test_several_processes_open_a_new_store_at_once(backend, place):
    assert run_together(child(backend, place, "open", name) for name in "abcd") == ["open"] * 4


@durable
def test_what_was_kept_survives_kill_minus_nine(backend, store, place):
    rng = random.Random(5)
    for round_ in range(4):
        with child(backend, place, "forever", str(round_)) as process:
            said = [process.stdout.readline() for _ in range(rng.randint(1, 6))]
            process.kill()
            said += process.stdout.readlines()
        given = {int(line) for line in said if line.endswith("\n")}
        kept = {task.id for task in store.scan(0, 10_000) if task.title == str(round_)}
        assert given <= kept
        assert len(kept - given) <= 1
