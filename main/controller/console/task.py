"""A task for people: everything about it, its history, and forms to change and to drop it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from flask.views import MethodView
from marshmallow import validate
from marshmallow.fields import String

from main.controller.console.filters import given_args
from main.controller.console.frame import DONE, go, may, show
from main.controller.console.taskforms import ChangeTaskForm, DeleteTaskForm, read_version
from main.controller.context import services
from main.controller.guards import caller, editor, reader
from main.controller.middleware import load_args
from main.controller.parameters import Parameters
from main.controller.taskschemas import TaskChangeSchema
from main.service.errors import InvalidQuery, Outdated
from main.service.model import Role

if TYPE_CHECKING:
    from flask import Response

    from main.service.model import Task

_OUTDATED = "Somebody has changed this task meanwhile; it stands below as it is now. What you typed is still here: send it again to put it in its place."


class TaskPageSchema(Parameters):
    """What was done before."""

    done = String(load_default="", validate=validate.OneOf(DONE))


_QUERY, _CHANGE = TaskPageSchema(), TaskChangeSchema()


class TaskForms(NamedTuple):
    """The forms of a task's page."""

    change: ChangeTaskForm
    delete: DeleteTaskForm


class TaskPage(MethodView):
    """One task."""

    @reader
    def get(self, task_id: int) -> Response:
        """Show a task with its history."""
        load_args(_QUERY, given_args())
        task = services().tasks.get(task_id)
        return show("task", task=task, forms=_make_forms(task) if may(Role.EDITOR) else None)

    @editor
    def post(self, task_id: int) -> Response:
        """Change the task or drop it, if it is still what the form has shown."""
        task = services().tasks.get(task_id)
        forms = _make_forms(task)
        try:
            return _drop(task, forms) if forms.delete.delete.data else _change(task, forms)
        except InvalidQuery as error:
            forms.change.blame(error.errors)
            return show("task", HTTPStatus.UNPROCESSABLE_ENTITY, task=task, forms=forms)
        except Outdated:
            return _tell_outdated(task_id, forms)


def _make_forms(task: Task) -> TaskForms:
    return TaskForms(ChangeTaskForm.for_task(task), DeleteTaskForm(version=task.version))


def _change(task: Task, forms: TaskForms) -> Response:
    values = forms.change.judge(_CHANGE)
    if values is None:
        return show("task", HTTPStatus.UNPROCESSABLE_ENTITY, task=task, forms=forms)
    services().tasks.change(task.id, values, read_version(forms.change.version.data), caller().name)
    return go("console.task", task_id=task.id, done="saved")


def _drop(task: Task, forms: TaskForms) -> Response:
    services().tasks.delete(task.id, read_version(forms.delete.version.data))
    return go("console.tasks", done="deleted")


def _tell_outdated(task_id: int, forms: TaskForms) -> Response:
    """Show the task as it is now, beside what was typed, so that sending it again is a choice."""
    task = services().tasks.get(task_id)
    forms.change.version.data = forms.delete.version.data = str(task.version)
    forms.change.form_errors.append(_OUTDATED)
    return show("task", HTTPStatus.CONFLICT, task=task, forms=forms)
