"""The forms of the task board; what they take is judged by the schemas of ``/tasks``, so that both doors have one rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from marshmallow import ValidationError
from wtforms import BooleanField, HiddenField, SelectField, StringField, SubmitField, TextAreaField
from wtforms.fields.choices import SelectChoice

from main.controller.console.forms import Form
from main.controller.console.words import RESOLUTIONS, STATUSES
from main.controller.fields import TEXT_LIMIT
from main.controller.problems import flatten
from main.controller.taskschemas import ASSIGNEE_LIMIT, DESCRIPTION_LIMIT
from main.service.model import PRIORITIES, Resolution, TaskDraft, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marshmallow import Schema

    from main.service.model import Task

_NO_RESOLUTION = ""
_ENDS = {PRIORITIES[0]: ", most urgent", PRIORITIES[-1]: ", least urgent"}
_PRIORITIES = [SelectChoice(str(number), f"{number}{_ENDS.get(number, '')}") for number in PRIORITIES]
_LONGEST_VERSION = 15  # digits that JSON carries exactly


class JudgedForm(Form):
    """A form whose values a schema judges; ``names`` are those of its boxes that the schema knows."""

    names: Sequence[str] = ()

    def judge(self, schema: Schema) -> Any:
        """Give what the schema makes of the form, or None where something is wrong, which stands at its box then."""
        if not self.validate():
            return None
        try:
            return schema.load({name: _read(name, self[name].data) for name in self.names})
        except ValidationError as error:
            self.blame(cast("dict[str, Any]", error.messages))
            return None

    def blame(self, messages: Mapping[str, Any]) -> None:
        """Put each message to its box, and those about nothing that has a box to the form."""
        for name, found in messages.items():
            told = flatten(found)
            if name in self:
                self[name].errors = [*self[name].errors, *told]
            else:
                self.form_errors.extend(told)


class NewTaskForm(JudgedForm):
    """A task that is asked for."""

    names = ("title", "short_description", "priority", "product", "assignee")
    title = StringField("Title", render_kw={"required": True, "maxlength": TEXT_LIMIT})
    short_description = TextAreaField("Short description", render_kw={"rows": 3, "maxlength": DESCRIPTION_LIMIT})
    priority = SelectField("Priority", choices=_PRIORITIES, default=str(TaskDraft(title="").priority))
    product = StringField("Product", render_kw={"maxlength": TEXT_LIMIT, "placeholder": "shop:id"})
    assignee = StringField("Assignee", render_kw={"maxlength": ASSIGNEE_LIMIT})
    create = SubmitField("Create task")


class ChangeTaskForm(JudgedForm):
    """A task as it is to be; ``version`` is the one that was seen."""

    names = ("title", "short_description", "priority", "status", "resolution", "product", "assignee")
    title = StringField("Title", render_kw={"required": True, "maxlength": TEXT_LIMIT})
    short_description = TextAreaField("Short description", render_kw={"rows": 5, "maxlength": DESCRIPTION_LIMIT})
    priority = SelectField("Priority", choices=_PRIORITIES)
    status = SelectField("Status", choices=[SelectChoice(status.value, STATUSES[status].text) for status in TaskStatus])
    resolution = SelectField(
        "Resolution",
        choices=[
            SelectChoice(_NO_RESOLUTION, "none; done means fixed"),
            *(SelectChoice(resolution.value, RESOLUTIONS[resolution]) for resolution in Resolution),
        ],
    )
    product = StringField("Product", render_kw={"maxlength": TEXT_LIMIT, "placeholder": "shop:id"})
    assignee = StringField("Assignee", render_kw={"maxlength": ASSIGNEE_LIMIT})
    version = HiddenField()
    change = SubmitField("Save changes")

    @classmethod
    def for_task(cls, task: Task) -> ChangeTaskForm:
        """Give the form, filled with the task where it was not sent."""
        told = {name: getattr(task, name) for name in cls.names}
        return cls(
            **{**told, "priority": str(task.priority), "resolution": task.resolution or _NO_RESOLUTION}, version=task.version
        )


class DoneForm(Form):
    """One press, and a task is done."""

    task = HiddenField()
    version = HiddenField()
    done = SubmitField("Done")


class DeleteTaskForm(Form):
    """The end of a task."""

    version = HiddenField()
    delete = SubmitField("Delete task")


class DropForm(JudgedForm):
    """The end of all tasks of one title."""

    names = ("title",)
    title = StringField("Title", id="drop-title", render_kw={"required": True, "maxlength": TEXT_LIMIT})
    drop = SubmitField("Delete by title")


class ResetForm(Form):
    """The end of all tasks."""

    sure = BooleanField("Drop all tasks, with their histories, and number anew from 1")
    reset = SubmitField("Reset the board")


def read_version(text: str | None) -> tuple[int, ...]:
    """Give the version that a form was made for; none for what is no version, which then is not the task's either."""
    return (int(text),) if text and text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION else ()


def _read(name: str, value: Any) -> Any:
    """Give a box's value as JSON would have it: an empty one of those that may be empty is none."""
    text = str(value or "").replace("\r\n", "\n").strip()
    if name == "priority":
        return int(text) if text.isascii() and text.isdigit() else text
    return (text or None) if name in {"product", "assignee", "resolution"} else text
