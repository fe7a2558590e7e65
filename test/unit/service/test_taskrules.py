from __future__ import annotations

import datetime as dt

import pytest

from main.service.model import (
    Fault,
    Flaw,
    Head,
    Outcome,
    Rejected,
    Resolution,
    Rival,
    SourceRecord,
    TaskKind,
    TaskQuery,
    TaskRules,
    TaskStatus,
)
from main.service.taskrules import MOST, TaskRuler
from test.fakes import NOW, MemoryTasks, make_report, make_source, make_task

ACME = make_source()
OFF = TaskRules(
    quarantine=False, stale_source=False, missing_image=False, missing_description=False, mismatch=False, price_spread=None
)


class Inspected:
    """A catalogue with what is wrong with it written down."""

    def __init__(self):
        self.records = {"acme": SourceRecord(name="acme", synced_at=NOW)}
        self.rejected, self.flawed, self.shared = [], [], []
        self.looks = []

    def head(self):
        return Head(1, self.records)

    def quarantine(self, source, page, per_page):
        return self.rejected[:per_page], len(self.rejected)

    def flaws(self, source):
        self.looks.append(source)
        return self.flawed

    def rivals(self):
        self.looks.append("rivals")
        return self.shared


@pytest.fixture
def board():
    return MemoryTasks()


@pytest.fixture
def catalogue():
    found = Inspected()
    found.rejected = [Rejected(1, "7", (Fault("price", "is missing"),), "{}")]
    return found


@pytest.fixture
def ruler(board, catalogue, clock):
    return TaskRuler(board, catalogue, TaskRules(), clock)


def sync(ruler, outcome=Outcome.OK, **given):
    ruler.follow(ACME, make_report(outcome=outcome, **given))


def states(board):
    return [(task.cause, task.status.value, task.resolution) for task in board.kept.values()]


def test_a_finding_becomes_one_task_however_often_it_is_found(ruler, board):
    for _ in range(3):
        sync(ruler)
    [task] = board.kept.values()
    assert (task.kind, task.cause, task.product) == (TaskKind.QUARANTINE, "quarantine:acme:7", "acme:7")
    assert (task.created_by, task.status, task.version) == ("aisle", TaskStatus.OPEN, 1)


def test_a_task_closes_itself_when_its_cause_is_gone_and_opens_when_it_returns(ruler, board, catalogue):
    sync(ruler)
    gone, catalogue.rejected = catalogue.rejected, []
    sync(ruler)
    sync(ruler)
    assert states(board) == [("quarantine:acme:7", "done", Resolution.FIXED)]
    catalogue.rejected = gone
    sync(ruler)
    assert states(board) == [("quarantine:acme:7", "open", None)]
    assert [(step.by, step.reason) for step in board.get(1).history] == [
        ("aisle", "What it is about is no longer found."),
        ("aisle", "What it is about is found again."),
    ]


def test_a_task_that_somebody_works_on_is_left_to_them_until_its_cause_is_gone(ruler, board, catalogue):
    sync(ruler)
    board.replace(board.get(1).changed({"status": TaskStatus.DOING, "title": "Mine", "assignee": "ada"}, NOW, "ada"), 1)
    sync(ruler)
    assert (board.get(1).status, board.get(1).title, board.get(1).version) == (TaskStatus.DOING, "Mine", 2)
    catalogue.rejected = []
    sync(ruler)
    assert board.get(1).resolution is Resolution.FIXED


def test_what_a_person_will_not_fix_stays_closed_whatever_is_found(ruler, board, catalogue):
    sync(ruler)
    closed = board.get(1).changed({"status": TaskStatus.DONE, "resolution": Resolution.WONT_FIX}, NOW, "ada")
    board.replace(closed, 1)
    found = catalogue.rejected
    for rejected in (found, [], found):
        catalogue.rejected = rejected
        sync(ruler)
    assert board.get(1) == closed
    assert board.count() == 1


def test_tasks_of_people_and_of_other_sources_are_left_alone(ruler, board, catalogue):
    catalogue.rejected = []
    made = [board.add(make_task(kind=TaskKind.QUARANTINE)), board.add(make_task(cause="quarantine:acme2:7"))]
    sync(ruler)
    assert list(board.kept.values()) == made


def test_a_task_that_a_person_changes_at_the_same_moment_is_looked_at_again_next_time(ruler, board, catalogue):
    sync(ruler)
    catalogue.rejected = []
    caused = board.caused

    def overtaken(prefix):
        found = caused(prefix)
        for task in found:
            board.kept[task.id] = task.changed({"assignee": "ben"}, NOW, "ben")
        return found

    board.caused = overtaken
    sync(ruler)
    assert board.get(1).status is TaskStatus.OPEN
    board.caused = caused
    sync(ruler)
    assert board.get(1).status is TaskStatus.DONE


def test_a_task_that_a_person_changes_while_it_would_be_opened_is_opened_next_time(ruler, board, catalogue, log_lines):
    sync(ruler)
    back, catalogue.rejected = catalogue.rejected, []
    sync(ruler)
    catalogue.rejected, replace = back, board.replace
    board.replace = lambda *_: False
    sync(ruler)
    board.replace = replace
    assert board.get(1).status is TaskStatus.DONE
    assert not [line for line in log_lines() if line["event"] == "task.opened_itself"]
    sync(ruler)
    assert board.get(1).status is TaskStatus.OPEN


def test_a_source_that_fails_for_too_long_is_told_and_nothing_else_is_touched(ruler, board, catalogue, clock):
    sync(ruler)
    catalogue.rejected = []
    clock.advance(16 * 60)
    sync(ruler, Outcome.FAILED)
    assert states(board) == [("quarantine:acme:7", "open", None), ("stale_source:acme:", "open", None)]
    catalogue.records = {"acme": SourceRecord(name="acme", synced_at=clock.now())}
    sync(ruler)
    assert [state[1] for state in states(board)] == ["done", "done"]


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.STOPPED])
def test_a_sync_that_says_nothing_changes_nothing(ruler, board, outcome):
    sync(ruler, outcome)
    assert board.kept == {}


def test_products_are_looked_at_once_and_then_when_something_changed(ruler, board, catalogue):
    catalogue.flawed = [Flaw("acme:1", "Lamp", image=False, description=False)]
    brands = {"acme:1": "x", "depot:1": "y"}
    catalogue.shared = [
        Rival(product=product, source=product[:5], gtin="1", brand=brand, currency="EUR", price=len(brand + product) * 1000)
        for product, brand in brands.items()
    ]
    catalogue.shared.append(Rival(product="parts:1", source="parts", gtin="1", currency="EUR", price=90_000))
    sync(ruler)
    kinds = {task.kind for task in board.kept.values()}
    assert kinds == set(TaskKind) - {TaskKind.MANUAL, TaskKind.STALE_SOURCE}
    sync(ruler)
    assert catalogue.looks == ["acme", "rivals"]
    catalogue.flawed, catalogue.shared = [], []
    for change in ("created", "updated", "deleted"):
        sync(ruler, **{change: 1})
    assert catalogue.looks == ["acme", "rivals"] * 4
    assert board.find(TaskQuery(status=("open",)))[1] == 1


def test_rules_that_are_switched_off_find_nothing_and_close_nothing(board, catalogue, clock):
    catalogue.flawed = [Flaw("acme:1", "Lamp", image=False, description=False)]
    catalogue.records = {"acme": SourceRecord(name="acme", synced_at=NOW - dt.timedelta(days=1))}
    kept = board.add(make_task(cause="mismatch:1"))
    sync(TaskRuler(board, catalogue, OFF, clock))
    assert list(board.kept.values()) == [kept]
    assert catalogue.looks == []


@pytest.mark.parametrize(
    ("rules", "kinds"),
    [
        ({"missing_image": True}, {"missing_image"}),
        ({"missing_description": True}, {"missing_description"}),
        ({"mismatch": True}, {"mismatch"}),
        ({"price_spread": 10}, {"price_spread"}),
    ],
)
def test_each_rule_is_switched_by_itself(board, catalogue, clock, rules, kinds):
    off = {name: getattr(OFF, name) for name in TaskRules.__dataclass_fields__}
    catalogue.flawed = [Flaw("acme:1", "Lamp", image=False, description=False)]
    catalogue.shared = [
        Rival(product=f"{source}:1", source=source, gtin="1", brand=source, currency="EUR", price=price)
        for source, price in (("acme", 10), ("depot", 90))
    ]
    sync(TaskRuler(board, catalogue, TaskRules(**{**off, **rules}), clock))
    assert {task.kind.value for task in board.kept.values()} == kinds


def test_a_flood_of_findings_makes_a_bounded_number_of_tasks(ruler, board, catalogue, log_lines):
    catalogue.flawed = [Flaw(f"acme:{number}", "Lamp", image=False, description=True) for number in range(MOST + 50)]
    catalogue.rejected = []
    sync(ruler)
    sync(ruler, updated=1)
    assert board.count() == MOST
    told = [line for line in log_lines() if line["event"] == "tasks.too_many_findings"]
    assert [(line["kind"], line["left_out"]) for line in told] == [("missing_image", 50)] * 2
    catalogue.flawed = catalogue.flawed[MOST:]
    sync(ruler, updated=1)
    assert board.find(TaskQuery(status=("open",)))[1] == 50


def test_a_board_that_is_down_is_logged_and_made_up_for_at_the_next_sync(ruler, board, log_lines):
    board.down = True
    sync(ruler)
    [line] = [line for line in log_lines() if line["event"] == "tasks.rules_failed"]
    assert (line["source"], line["error"]) == ("acme", "The store does not answer.")
    board.down = False
    sync(ruler)
    assert board.count() == 1


# sources that are gone


def gone(board):
    """What is done, and why, by cause."""
    return {task.cause: task.history[-1].reason for task in board.kept.values() if task.status is TaskStatus.DONE}


def test_tasks_about_a_source_that_is_gone_close_themselves_with_the_reason(ruler, board):
    causes = ["quarantine:acme:7", "stale_source:acme:", "missing_image:acme:1", "missing_description:acme:1"]
    for cause in [*causes, "price_spread:acme:1", "quarantine:acme2:7"]:
        board.add(make_task(cause=cause, status=TaskStatus.DOING))
    people = board.add(make_task(kind=TaskKind.QUARANTINE, product="acme:7"))
    ruler.forget({"acme2", "depot"})
    assert gone(board) == dict.fromkeys([*causes, "price_spread:acme:1"], "The source acme is no longer configured.")
    assert {(task.resolution, task.updated_by) for task in board.kept.values() if task.cause in causes} == {("fixed", "aisle")}
    assert board.get(people.id) == people


def test_what_a_source_that_is_gone_was_compared_with_is_looked_at_again(ruler, board, catalogue):
    rivals = [
        Rival(product=f"{source}:1", source=source, gtin="1", brand=source, currency="EUR", price=price)
        for source, price in (("acme", 10), ("depot", 90))
    ]
    catalogue.rejected, catalogue.shared = [], rivals
    sync(ruler)
    assert {state[1] for state in states(board)} == {"open"}
    ruler.forget({"acme", "depot"})
    assert gone(board) == {}
    catalogue.shared = []
    ruler.forget({"depot"})
    assert gone(board) == {
        "mismatch:1": "It is no longer found among the sources that are configured.",
        "price_spread:acme:1": "The source acme is no longer configured.",
        "price_spread:depot:1": "It is no longer found among the sources that are configured.",
    }


def test_a_source_that_is_configured_again_has_its_tasks_opened_and_none_that_a_person_refused(ruler, board, catalogue):
    sync(ruler)
    refused = board.add(make_task(cause="quarantine:acme:8", status=TaskStatus.DONE, resolution=Resolution.WONT_FIX))
    catalogue.rejected.append(Rejected(2, "8", (Fault("price", "is missing"),), "{}"))
    ruler.forget({"depot"})
    assert board.get(1).history[-1].reason == "The source acme is no longer configured."
    sync(ruler)
    assert board.get(1).status is TaskStatus.OPEN
    assert board.get(1).history[-1].reason == "What it is about is found again."
    assert board.get(refused.id) == refused


def test_where_the_board_was_down_the_next_sync_of_any_source_makes_up_for_it(ruler, board, catalogue, log_lines):
    catalogue.rejected = []
    board.add(make_task(cause="quarantine:depot:1"))
    board.add(make_task(cause="quarantine:new:1"))
    board.down = True
    ruler.forget({"acme"})
    [line] = [line for line in log_lines() if line["event"] == "tasks.rules_failed"]
    assert line["error"] == "The store does not answer."
    sync(ruler)
    board.down = False
    ruler.follow(make_source("new"), make_report(outcome=Outcome.FAILED))  # it was configured meanwhile
    assert list(gone(board)) == ["quarantine:depot:1"]
    looked = len(catalogue.looks)
    sync(ruler, Outcome.FAILED)
    assert (list(gone(board)), len(catalogue.looks)) == (["quarantine:depot:1"], looked)


def test_a_task_of_a_source_that_is_gone_which_a_person_changes_at_the_same_moment_is_closed_by_the_next_sync(
    ruler, board, catalogue
):
    catalogue.rejected = []
    task = board.add(make_task(cause="quarantine:depot:1"))
    replace = board.replace
    board.replace = lambda *_: False
    ruler.forget({"acme"})
    board.replace = replace
    assert board.get(task.id).status is TaskStatus.OPEN
    sync(ruler)
    assert board.get(task.id).status is TaskStatus.DONE
