"""How the board's parts fit together, over real stores and shops."""

from dataclasses import replace

import pytest

from main.bootstrap import build_services, build_sync
from main.bootstrap_tasks import build_task_copy, make_board
from main.service.errors import StoreDown
from main.service.model import Outcome, TaskQuery, TaskRules
from main.settings.model import Tasks
from test.fakes import MemoryCatalogue, MemoryTasks, make_task

AWAY = "postgresql://127.0.0.1:1/tasks"


def sync(settings):
    built = build_sync(settings)
    built.lifecycle.open()
    reports = built.sync.sync_all(settings.sources)
    built.lifecycle.close()
    return [report.outcome for report in reports]


def tasks_of(settings):
    built = build_services(settings)
    found = built.tasks.find(TaskQuery(per_page=100))[0]
    built.lifecycle.close()
    return found


def test_what_the_shops_send_wrong_is_on_the_board_after_one_sync_and_once(unsynced):
    for _ in range(2):
        assert sync(unsynced) == [Outcome.OK] * 3
    found = tasks_of(unsynced)
    quarantined = [task for task in found if task.kind == "quarantine"]
    assert quarantined
    assert {task.cause.split(":")[1] for task in quarantined} <= {"lumen", "depot", "parts"}
    assert len({task.cause for task in found}) == len(found)
    assert {(task.status, task.created_by, task.version) for task in found} == {("open", "aisle", 1)}


def test_rules_are_those_of_the_settings(unsynced):
    off = TaskRules(
        quarantine=False, stale_source=False, missing_image=False, missing_description=False, mismatch=False, price_spread=None
    )
    settings = replace(unsynced, tasks=Tasks(rules=off))
    sync(settings)
    assert tasks_of(settings) == []


def test_a_board_whose_server_is_away_keeps_no_sync_from_its_end_and_no_catalogue_from_being_served(unsynced):
    settings = replace(unsynced, tasks=Tasks(AWAY))
    assert sync(settings) == [Outcome.OK] * 3
    built = build_services(settings)
    built.lifecycle.open()
    found = built.status.check_ready()
    assert found.ready
    assert {state.name: (state.kind, state.up) for state in found.components}["tasks"] == ("postgresql", False)
    with pytest.raises(StoreDown):
        built.tasks.find(TaskQuery())
    built.lifecycle.close()


def test_a_catalogue_in_place_of_the_real_one_is_not_looked_into(unsynced):
    built = build_sync(unsynced, writer=MemoryCatalogue())
    assert {report.outcome for report in built.sync.sync_all(unsynced.sources)} == {Outcome.OK}
    assert not (unsynced.data / "tasks.db").exists()


def test_a_store_that_is_given_is_the_board(unsynced):
    given = MemoryTasks()
    component = make_board(unsynced, given)
    assert (component.resource, component.kind, component.essential) == (given, "sqlite", False)


def test_a_copy_has_both_stores_open_inside(unsynced):
    with build_task_copy(unsynced, "sqlite:///one.db", "sqlite:///two.db") as copy:
        assert copy.run().tasks == 0
        copy._source.add(make_task())
        assert copy.run().copied == 1
    with pytest.raises(StoreDown), build_task_copy(unsynced, "sqlite:///one.db", AWAY):
        raise AssertionError


def test_a_source_that_is_gone_takes_its_tasks_along_and_brings_them_back(unsynced):
    built = build_sync(unsynced)
    built.lifecycle.open()
    built.sync.sync_all(unsynced.sources)
    depot, *others = sorted(unsynced.sources, key=lambda source: source.name)
    assert built.sync.retain(others) == 18
    told = {}
    for restored in (False, True):
        if restored:
            built.sync.sync(depot)
        told[restored] = {task.cause: task.status.value for task in tasks_of(unsynced) if ":depot:" in task.cause}
    built.lifecycle.close()
    assert set(told[False].values()) == {"done"}
    assert told[True] == dict.fromkeys(told[False], "open")
