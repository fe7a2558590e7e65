"""A task as every store keeps it: plain values by name, its history as one JSON text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from main.resources.database.times import from_ms, to_ms
from main.service.model import FieldChange, Resolution, Task, TaskChange, TaskKind, TaskStatus
from main.util.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

HISTORY = "history"  # left out where a list is read
# What is sorted by, for each order of a list; the number decides between equals.
SORTED_BY = {"id": "id", "priority": "priority", "title": "title_key", "created": "created_at", "updated": "updated_at"}
FILTERS = ("status", "priority", "kind", "product", "assignee")


def to_record(task: Task) -> dict[str, Any]:
    """Give what is kept of a task; ``title_key`` is what titles are sorted by, ``text_key`` what words are looked for in."""
    return {
        "id": task.id,
        "title": task.title,
        "short_description": task.short_description,
        "priority": task.priority,
        "status": task.status.value,
        "resolution": task.resolution and task.resolution.value,
        "kind": task.kind.value,
        "product": task.product,
        "assignee": task.assignee,
        "cause": task.cause,
        "version": task.version,
        "created_at": to_ms(task.created_at),
        "created_by": task.created_by,
        "updated_at": to_ms(task.updated_at),
        "updated_by": task.updated_by,
        "title_key": fold(task.title),
        "text_key": fold(f"{task.title}\n{task.short_description}"),
        HISTORY: orjson.dumps([_dump(step) for step in task.history]).decode(),
    }


def from_record(record: Mapping[Any, Any]) -> Task:
    """Give the task that was kept; without history where that was not read."""
    return Task(
        id=record["id"],
        title=record["title"],
        short_description=record["short_description"],
        priority=record["priority"],
        status=TaskStatus(record["status"]),
        resolution=Resolution(record["resolution"]) if record["resolution"] else None,
        kind=TaskKind(record["kind"]),
        product=record["product"],
        assignee=record["assignee"],
        cause=record["cause"],
        version=record["version"],
        created_at=from_ms(record["created_at"]),
        created_by=record["created_by"],
        updated_at=from_ms(record["updated_at"]),
        updated_by=record["updated_by"],
        history=tuple(_load(step) for step in orjson.loads(record.get(HISTORY) or "[]")),
    )


def split_sort(sort: str) -> tuple[str, bool]:
    """Give what an order sorts by, and whether the largest comes first."""
    name = sort.removeprefix("-")
    return SORTED_BY[name], name != sort


def _dump(step: TaskChange) -> dict[str, Any]:
    changes = [[change.field, change.before, change.after] for change in step.changes]
    told = {} if step.reason is None else {"reason": step.reason}
    return {"version": step.version, "at": to_ms(step.at), "by": step.by, "changes": changes, **told}


def _load(step: Mapping[str, Any]) -> TaskChange:
    changes = tuple(FieldChange(*change) for change in step["changes"])
    return TaskChange(step["version"], from_ms(step["at"]), step["by"], changes, step.get("reason"))
