"""Tasks: what the people who curate the catalogue have to mend, and how each task came to be as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

TASK_SORTS = ("id", "-id", "priority", "-priority", "title", "-title", "created", "-created", "updated", "-updated")
PRIORITIES = (1, 2, 3, 4, 5)
USUAL_PRIORITY = 3
HISTORY_LIMIT = 500  # changes that are kept of a task: the newest
# What a change may set, in the order in which a history tells it.
CHANGEABLE = ("title", "short_description", "priority", "status", "resolution", "product", "assignee")


class TaskStatus(StrEnum):
    """How far a task is."""

    OPEN = "open"
    DOING = "doing"
    DONE = "done"


class Resolution(StrEnum):
    """How a task that is done ended: what it asks for was done, or somebody decided that it never will be."""

    FIXED = "fixed"
    WONT_FIX = "wont_fix"


class TaskKind(StrEnum):
    """What a task is about; all but the first can be found by a machine."""

    MANUAL = "manual"
    QUARANTINE = "quarantine"
    PRICE_SPREAD = "price_spread"
    MISSING_IMAGE = "missing_image"
    MISSING_DESCRIPTION = "missing_description"
    MISMATCH = "mismatch"
    STALE_SOURCE = "stale_source"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's value before and after a change, as texts; None where there was none."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class TaskChange:
    """One step of a task: the version it led to, who took it and when, what it changed, and why, where a machine took it."""

    version: int
    at: dt.datetime
    by: str
    changes: tuple[FieldChange, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to mend. ``cause`` names what a machine found, so that it is found once; a task made by hand has none."""

    id: int
    title: str
    short_description: str = ""
    priority: int = USUAL_PRIORITY
    status: TaskStatus = TaskStatus.OPEN
    resolution: Resolution | None = None
    kind: TaskKind = TaskKind.MANUAL
    product: str | None = None
    assignee: str | None = None
    cause: str | None = None
    version: int = 1
    created_at: dt.datetime
    created_by: str
    updated_at: dt.datetime
    updated_by: str
    history: tuple[TaskChange, ...] = ()

    def changed(self, values: Mapping[str, object], at: dt.datetime, by: str, reason: str | None = None) -> Task:
        """Give the task with these values, one version further and with that step in its history; itself where nothing differs."""
        before = {name: getattr(self, name) for name in CHANGEABLE if name in values}
        changes = tuple(
            FieldChange(name, _told(old), _told(values[name])) for name, old in before.items() if old != values[name]
        )
        if not changes:
            return self
        step = TaskChange(self.version + 1, at, by, changes, reason)
        history = (*self.history, step)[-HISTORY_LIMIT:]
        now = {name: values[name] for name in before}
        return replace(self, **now, version=step.version, updated_at=at, updated_by=by, history=history)  # type: ignore[arg-type]


def _told(value: object) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """A task that is asked for; one that is done from the start counts as fixed."""

    title: str
    short_description: str = ""
    priority: int = USUAL_PRIORITY
    status: TaskStatus = TaskStatus.OPEN
    kind: TaskKind = TaskKind.MANUAL
    product: str | None = None
    assignee: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Which tasks are wanted; an empty filter lets all through. Each of the ``words`` must stand in title or description."""

    words: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    priority: tuple[int, ...] = ()
    kind: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    sort: str = "id"
    page: int = 1
    per_page: int = 30
