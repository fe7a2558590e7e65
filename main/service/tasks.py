"""Tasks: listed, made, changed and dropped, never over a change that the caller has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from main.service.errors import InvalidQuery, NotFound, Outdated
from main.service.model import Resolution, Task, TaskStatus

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from main.service.model import TaskDraft, TaskKind, TaskQuery
    from main.service.ports.tasks import TaskStore
    from main.util.clock import Clock

_LARGEST = 2**53  # what JSON carries exactly everywhere
_ONLY_DONE = "only a task with the status done has one"

_log = structlog.get_logger("tasks")


class TaskService:
    """The board that people work from. ``by`` is always the name of whoever asks."""

    def __init__(self, store: TaskStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def find(self, query: TaskQuery) -> tuple[Sequence[Task], int]:
        """Give one page of tasks, without their histories, and how many the whole result has.

        Raises:
            StoreDown: the store does not answer.
        """
        return self._store.find(query)

    def left_by_kind(self) -> Mapping[TaskKind, int]:
        """Give how many tasks of each kind are not done; a kind that has none is left out.

        Raises:
            StoreDown: the store does not answer.
        """
        return self._store.left_by_kind()

    def get(self, task_id: int) -> Task:
        """Give one task with its history.

        Raises:
            NotFound: there is none with this number.
            StoreDown: the store does not answer.
        """
        found = self._store.get(task_id) if 1 <= task_id <= _LARGEST else None
        if found is None:
            raise NotFound("task", str(task_id))
        return found

    def create(self, draft: TaskDraft, by: str) -> Task:
        """Make a task under the next number.

        Raises:
            StoreDown: the store does not answer.
        """
        made = self._store.add(make_task(draft, self._now(), by))
        _log.info("task.created", task=made.id, kind=made.kind.value)
        return made

    def change(self, task_id: int, values: Mapping[str, object], seen: Collection[int] | None, by: str) -> Task:
        """Change a task that still has one of the versions in ``seen`` (None: whatever it has) and give it as it is then.

        ``values`` are new values by name, of :data:`main.service.model.CHANGEABLE`. A task that becomes done without a word on
        how counts as fixed; one that is open again has no resolution. What changes nothing makes no version.

        Raises:
            NotFound: there is none with this number.
            Outdated: it has another version.
            InvalidQuery: it would have a resolution without being done.
            StoreDown: the store does not answer.
        """
        while True:
            task = self._check(self.get(task_id), seen)
            changed = task.changed(settle(values, task), self._now(), by)
            if changed is task:
                return task
            if self._store.replace(changed, task.version):
                _log.info("task.changed", task=task_id, version=changed.version)
                return changed

    def delete(self, task_id: int, seen: Collection[int] | None) -> None:
        """Drop a task that still has one of the versions in ``seen`` (None: whatever it has).

        Raises:
            NotFound: there is none with this number.
            Outdated: it has another version.
            StoreDown: the store does not answer.
        """
        while True:
            task = self._check(self.get(task_id), seen)
            if self._store.delete(task_id, task.version):
                _log.info("task.deleted", task=task_id)
                return

    def delete_titled(self, title: str) -> int:
        """Drop all tasks of exactly this title, and give how many that were.

        Raises:
            NotFound: there is none.
            StoreDown: the store does not answer.
        """
        dropped = self._store.delete_titled(title)
        if not dropped:
            raise NotFound("task", title)
        _log.info("task.deleted_by_title", count=dropped)
        return dropped

    def reset(self) -> int:
        """Drop all tasks, so that numbering starts anew, and give how many that were.

        Raises:
            StoreDown: the store does not answer.
        """
        dropped = self._store.reset()
        _log.warning("task.reset", count=dropped)
        return dropped

    def _check(self, task: Task, seen: Collection[int] | None) -> Task:
        if seen is not None and task.version not in seen:
            raise Outdated(task.version)
        return task

    def _now(self) -> dt.datetime:
        return to_milliseconds(self._clock.now())


def make_task(draft: TaskDraft, now: dt.datetime, by: str, cause: str | None = None) -> Task:
    """Give a new task, its number still to be found."""
    return Task(
        id=0,
        title=draft.title,
        short_description=draft.short_description,
        priority=draft.priority,
        status=draft.status,
        resolution=_resolve(draft.status, None),
        kind=draft.kind,
        product=draft.product,
        assignee=draft.assignee,
        cause=cause,
        created_at=now,
        created_by=by,
        updated_at=now,
        updated_by=by,
    )


def settle(values: Mapping[str, object], task: Task) -> dict[str, object]:
    """Give what a change sets, with the resolution that follows from it.

    Raises:
        InvalidQuery: the task would have a resolution without being done.
    """
    status = TaskStatus(str(values.get("status", task.status)))
    given = values.get("resolution", task.resolution if status is TaskStatus.DONE else None)
    return {**values, "resolution": _resolve(status, given)}


def to_milliseconds(moment: dt.datetime) -> dt.datetime:
    """Give a time as every store keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _resolve(status: TaskStatus, given: object) -> Resolution | None:
    if status is TaskStatus.DONE:
        return Resolution(str(given)) if given is not None else Resolution.FIXED
    if given is not None:
        raise InvalidQuery({"resolution": [_ONLY_DONE]})
    return None
