"""``/tasks``: what the people who curate the catalogue have to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from flask_restx import Namespace, Resource

from main.controller.bodies import load_body
from main.controller.conditional import answer_json, not_modified, read_versions
from main.controller.context import services
from main.controller.guards import caller, editor, reader, require
from main.controller.idempotency import idempotent
from main.controller.links import task_path
from main.controller.middleware import load_args
from main.controller.paging import answer_page
from main.controller.parameters import NoParametersSchema
from main.controller.swagger import (
    BODY_ERRORS,
    LOCATION_HEADER,
    PAGING_HEADERS,
    VERSION_HEADER,
    body,
    conditional,
    documented,
    parameters,
    preconditioned,
)
from main.controller.taskschemas import (
    DroppedSchema,
    ListedTaskSchema,
    TaskChangeSchema,
    TaskDraftSchema,
    TaskDropSchema,
    TaskQuerySchema,
    TaskSchema,
)
from main.service.model import Role

if TYPE_CHECKING:
    from flask import Response

    from main.service.model import Task

tasks = Namespace("tasks", description="What the people who curate the catalogue have to mend.", path="/tasks")

_NONE = NoParametersSchema()
_QUERY = TaskQuerySchema()
_DROP = TaskDropSchema()
_DRAFT = TaskDraftSchema()
_CHANGE = TaskChangeSchema()
_TASK = TaskSchema()
_LISTED = ListedTaskSchema()
_DROPPED = DroppedSchema()


@tasks.route("")
class TaskList(Resource):  # type: ignore[misc]
    """All tasks."""

    @reader
    @documented(tasks, "TaskPage", "One page of tasks.", errors=(422, 503), headers=PAGING_HEADERS)
    @parameters(tasks, _QUERY)
    def get(self) -> Response:
        """Show the tasks that are asked for."""
        query = load_args(_QUERY)
        found, total = services().tasks.find(query)
        return answer_page(_LISTED, found, total, {"page": query.page, "per_page": query.per_page})

    @editor
    @idempotent(tasks)
    @documented(
        tasks,
        "Task",
        "The task, under its number.",
        code=201,
        errors=(*BODY_ERRORS, 409, 422, 503),
        headers={**LOCATION_HEADER, **VERSION_HEADER},
    )
    @body(tasks, "TaskDraft")
    def post(self) -> Response:
        """Make a task."""
        load_args(_NONE)
        made = services().tasks.create(load_body(_DRAFT), caller().name)
        return _answer(made, status=201, headers={"Location": task_path(made)})

    @editor
    @documented(tasks, "Dropped", "How many tasks were dropped.", errors=(404, 422, 503))
    @parameters(tasks, _DROP)
    def delete(self) -> Response:
        """Drop the tasks of one title; without one, for admins alone, all of them: numbers start anew then."""
        title = load_args(_DROP)["title"]
        if title is None:
            require(Role.ADMIN)
        dropped = services().tasks.reset() if title is None else services().tasks.delete_titled(title)
        return answer_json(orjson.dumps(_DROPPED.dump({"deleted": dropped})))


@tasks.route("/<int:task_id>")
@tasks.param("task_id", "The task's number", _in="path", **{"x-example": 1})
class TaskItem(Resource):  # type: ignore[misc]
    """One task."""

    @reader
    @documented(tasks, "Task", "The task, with its history.", errors=(404, 422, 503), headers=VERSION_HEADER)
    @conditional(tasks)
    def get(self, task_id: int) -> Response:
        """Show one task."""
        load_args(_NONE)
        found = services().tasks.get(task_id)
        if not_modified(str(found.version)):
            return answer_json(b"", str(found.version), status=304)
        return _answer(found)

    @editor
    @preconditioned(tasks)
    @documented(tasks, "Task", "The task as it is now.", errors=(*BODY_ERRORS, 404, 412, 422, 428, 503), headers=VERSION_HEADER)
    @body(tasks, "TaskChange")
    def patch(self, task_id: int) -> Response:
        """Change a task, if it is still what the caller has seen."""
        load_args(_NONE)
        return _answer(services().tasks.change(task_id, load_body(_CHANGE), read_versions(), caller().name))

    @editor
    @preconditioned(tasks)
    @documented(tasks, None, "The task is gone.", code=204, errors=(404, 412, 422, 428, 503))
    def delete(self, task_id: int) -> Response:
        """Drop a task, if it is still what the caller has seen; its number is not given again."""
        load_args(_NONE)
        services().tasks.delete(task_id, read_versions())
        return answer_json(b"", status=204)


def _answer(task: Task, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return answer_json(orjson.dumps(_TASK.dump(task)), str(task.version), status=status, headers=headers)
