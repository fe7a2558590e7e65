"""The task board for people: what is to be mended, and forms to make, close and drop tasks."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from flask.views import MethodView
from marshmallow import ValidationError, post_load, validate
from marshmallow.fields import String

from main.controller.console.boardfilters import build_board_filters, with_usual
from main.controller.console.filters import build_steps, given_args
from main.controller.console.frame import DONE, go, may, show
from main.controller.console.taskforms import DoneForm, DropForm, NewTaskForm, ResetForm, read_version
from main.controller.context import services
from main.controller.guards import caller, editor, reader, require
from main.controller.middleware import load_args
from main.controller.problems import flatten
from main.controller.taskschemas import TaskDraftSchema, TaskDropSchema, TaskQuerySchema
from main.service.errors import NotFound, Outdated
from main.service.model import Role, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response
    from werkzeug.datastructures import MultiDict

    from main.service.model import TaskQuery

_OUTDATED = "Task {} has changed meanwhile; please look at it before you close it."
_GONE = "Task {} is gone."
_NOT_SURE = "Please tick the box first."
_NO_SUCH_TITLE = "There is no task of exactly this title."
_DRAFT, _DROP = TaskDraftSchema(), TaskDropSchema()


class BoardSchema(TaskQuerySchema):
    """Which tasks are wanted, and what was done before."""

    done = String(load_default="", validate=validate.OneOf(DONE))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> TaskQuery:
        """Give the normalised query."""
        return cast("TaskQuery", super().build({name: value for name, value in data.items() if name != "done"}))


_QUERY = BoardSchema()


class BoardPage(MethodView):
    """All tasks."""

    @reader
    def get(self) -> Response:
        """Show the tasks that are asked for; those that are open or under way, where nothing is said of that."""
        given = given_args()
        return _show_board(given, BoardForms(given.get("product")) if may(Role.EDITOR) else None)

    @editor
    def post(self) -> Response:
        """Do what the form that was sent is for: make a task, close one, drop those of a title, or drop all."""
        given, forms = given_args(), BoardForms()
        done = forms.act()
        if done is None:
            return _show_board(given, forms, HTTPStatus.UNPROCESSABLE_ENTITY)
        kept = {name: given.getlist(name) for name in given if name not in {"done", "page"}}
        return go("console.tasks", **kept, done=done)


class BoardForms:
    """The forms beside the board's list; ``faults`` are those of what has no box of its own."""

    def __init__(self, product: str | None = None) -> None:
        self.new = NewTaskForm(product=product)
        self.finish = DoneForm()
        self.drop = DropForm()
        self.reset = ResetForm()
        self.faults: list[str] = []

    def act(self) -> str | None:
        """Do what the form is for whose button was pressed, and give the word for it; None where something is wrong with it.

        Raises:
            Forbidden: all tasks are to be dropped, and not by an admin.
            StoreDown: the store does not answer.
        """
        acts = {
            self.new.create: self._create,
            self.finish.done: self._finish,
            self.drop.drop: self._drop,
            self.reset.reset: self._reset,
        }
        return next((act() for button, act in acts.items() if button.data), None)

    def _create(self) -> str | None:
        draft = self.new.judge(_DRAFT)
        if draft is None:
            return None
        services().tasks.create(draft, caller().name)
        return "created"

    def _finish(self) -> str | None:
        number = next(iter(read_version(self.finish.task.data)), 0)
        try:
            services().tasks.change(number, {"status": TaskStatus.DONE}, read_version(self.finish.version.data), caller().name)
        except Outdated:
            self.faults.append(_OUTDATED.format(number))
            return None
        except NotFound:
            self.faults.append(_GONE.format(number))
            return None
        return "finished"

    def _drop(self) -> str | None:
        wanted = self.drop.judge(_DROP)
        if wanted is None:
            return None
        try:
            services().tasks.delete_titled(wanted["title"])
        except NotFound:
            self.drop.blame({"title": [_NO_SUCH_TITLE]})
            return None
        return "dropped"

    def _reset(self) -> str | None:
        require(Role.ADMIN)
        if not self.reset.sure.data:
            self.reset.sure.errors = [_NOT_SURE]
            return None
        services().tasks.reset()
        return "reset"


def _show_board(given: MultiDict[str, str], forms: BoardForms | None, code: int = HTTPStatus.OK) -> Response:
    told: dict[str, Any] = {"forms": forms, "filters": build_board_filters(given), "faults": {}, "tasks": None}
    try:
        query = cast("TaskQuery", load_args(_QUERY, with_usual(given)))
    except ValidationError as error:
        messages = cast("Mapping[str, Any]", error.messages)
        told["faults"] = {str(name)[:100]: flatten(found) for name, found in messages.items()}
        return show("tasks", HTTPStatus.UNPROCESSABLE_ENTITY, **told)
    found, total = services().tasks.find(query)
    given.poplist("done")
    steps = build_steps(given, query.page, query.per_page, total)
    return show("tasks", code, **{**told, "tasks": found}, total=total, steps=steps)
