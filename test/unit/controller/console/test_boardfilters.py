from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from werkzeug.datastructures import MultiDict

from main.controller.console.boardfilters import BoardFilters, build_board_filters, with_usual
from main.service.model import PRIORITIES, TASK_SORTS, TaskKind, TaskStatus

if TYPE_CHECKING:
    from test.unit.controller.console.pages import Pages


def build(pages: Pages, *given: tuple[str, str]) -> BoardFilters:
    with pages.app.test_request_context("/", base_url="http://x/shop"):
        return build_board_filters(MultiDict(given))


def chosen(options: tuple[tuple[str, str, bool], ...]) -> list[str]:
    return [value for value, _, is_chosen in options if is_chosen]


def test_who_asks_for_nothing_sees_what_is_to_be_done_most_urgent_first(pages: Pages):
    found = build(pages)
    assert (chosen(found.status), chosen(found.sort), found.in_use) == (["open", "doing"], ["priority"], 0)
    assert [chosen(options) for options in (found.kind, found.priority)] == [[], []]


def test_what_is_asked_for_counts_more_than_what_is_usual():
    given = MultiDict([("status", "done"), ("kind", "manual")])
    asked = with_usual(given)
    assert (asked.getlist("status"), asked.getlist("sort"), asked.getlist("kind")) == (["done"], ["priority"], ["manual"])
    assert "sort" not in given


def test_everything_that_may_be_asked_for_is_offered_with_words(pages: Pages):
    found = build(pages)
    offered = [[option.value for option in options] for options in (found.status, found.kind, found.priority, found.sort)]
    assert offered[:3] == [list(TaskStatus), list(TaskKind), [str(number) for number in PRIORITIES]]
    assert set(offered[3]) <= set(TASK_SORTS)
    assert all(option.label for options in (found.status, found.kind, found.priority, found.sort) for option in options)


@pytest.mark.parametrize(
    "given", [[("kind", "manual"), ("kind", "mismatch")], [("kind", "manual,mismatch")], [("kind", "MANUAL,Mismatch")]]
)
def test_several_values_are_chosen_however_they_are_written(pages: Pages, given: list[tuple[str, str]]):
    assert chosen(build(pages, *given).kind) == ["manual", "mismatch"]


def test_what_was_typed_stays_and_the_filters_in_use_are_counted(pages: Pages):
    found = build(
        pages,
        ("q", "lamp"),
        ("assignee", "ada"),
        ("product", "lumen:1"),
        ("kind", "manual"),
        ("priority", "1"),
        ("priority", "2"),
    )
    assert (found.q, found.assignee, found.product, found.in_use) == ("lamp", "ada", "lumen:1", 5)


def test_the_address_of_the_board_keeps_what_was_asked_but_the_page_and_what_was_done(pages: Pages):
    found = build(pages, ("q", "a&b"), ("status", "open"), ("status", "done"), ("page", "3"), ("done", "created"))
    assert found.here == "/shop/console/tasks?q=a%26b&status=open&status=done"
