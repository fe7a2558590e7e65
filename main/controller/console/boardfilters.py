"""The filters beside the task board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flask import url_for

from main.controller.console.words import KINDS, STATUSES
from main.service.model import PRIORITIES, TaskKind, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.datastructures import MultiDict

# What a board shows to whoever asks for nothing else.
USUAL = {"status": (TaskStatus.OPEN.value, TaskStatus.DOING.value), "sort": ("priority",)}
_SORTS = {
    "priority": "Most urgent first",
    "-created": "Newest first",
    "created": "Oldest first",
    "-updated": "Last changed first",
    "title": "Title",
    "id": "Number",
}


class Option(NamedTuple):
    """A value that may be chosen."""

    value: str
    label: str
    chosen: bool


class BoardFilters(NamedTuple):
    """What was asked, and what could be asked instead."""

    q: str
    assignee: str
    product: str
    status: tuple[Option, ...]
    kind: tuple[Option, ...]
    priority: tuple[Option, ...]
    sort: tuple[Option, ...]
    in_use: int
    here: str


def with_usual(given: MultiDict[str, str]) -> MultiDict[str, str]:
    """Give a query with what is meant where it says nothing."""
    asked = given.copy()
    for name, values in USUAL.items():
        if name not in asked:
            asked.setlist(name, list(values))
    return asked


def build_board_filters(given: MultiDict[str, str]) -> BoardFilters:
    """Give the filters for a query as it was given."""
    asked = with_usual(given)
    kept: dict[str, Any] = {name: given.getlist(name) for name in given if name not in {"done", "page"}}
    return BoardFilters(
        q=given.get("q", ""),
        assignee=given.get("assignee", ""),
        product=given.get("product", ""),
        status=_options(((status.value, STATUSES[status].text) for status in TaskStatus), asked.getlist("status")),
        kind=_options(((kind.value, KINDS[kind]) for kind in TaskKind), given.getlist("kind")),
        priority=_options(((str(number), str(number)) for number in PRIORITIES), given.getlist("priority")),
        sort=_options(_SORTS.items(), asked.getlist("sort")),
        in_use=sum(len(given.getlist(name)) for name in ("kind", "priority", "assignee", "product")),
        here=url_for("console.tasks", **kept),
    )


def _options(offered: Iterable[tuple[str, str]], chosen: Iterable[str]) -> tuple[Option, ...]:
    taken = {value for each in chosen for value in each.lower().split(",")}
    return tuple(Option(value, label, value in taken) for value, label in offered)
