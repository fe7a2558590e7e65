"""Tasks as they are asked for, made, changed and shown, as marshmallow schemas."""

from __future__ import annotations

import re
from numbers import Integral
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from main.controller.bodies import Body
from main.controller.documents import PageSchema, UtcTime, shown
from main.controller.fields import TEXT_LIMIT, VALUE_PATTERN, Choices, Values
from main.controller.parameters import PagingSchema, Parameters, short_text
from main.service.model import PRIORITIES, TASK_SORTS, Resolution, TaskDraft, TaskKind, TaskQuery, TaskStatus

if TYPE_CHECKING:
    from enum import StrEnum

DESCRIPTION_LIMIT = 2_000
ASSIGNEE_LIMIT = 100
DESCRIPTION_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
_PRINTED = r"^[^\x00-\x1f\x7f-\x9f]*$"
_LEAST, _MOST = PRIORITIES[0], PRIORITIES[-1]
_TITLE = "What is to be done, in one line."
_DESCRIPTION = "More about it, in plain text of several lines."
_PRIORITY = f"{_LEAST} is the most urgent, {_MOST} the least."
_STATUS = "How far it is."
_RESOLUTION = (
    "How a task that is done ended: fixed, which it is taken for where nothing is said, or wont_fix. Others have none."
)
_PRODUCT = "The id of the product it is about; it may be gone."
_ASSIGNEE = "Who takes care of it."
_KIND = "What it is about; all but manual can also be found by Aisle itself."
_EXAMPLE = {"title": "Ask the shop for a picture", "short_description": "The page has one.", "product": "lumen:7800100000001"}


def _refusing(allowed: str) -> dict[str, Any]:
    return {"invalid": allowed, "null": allowed}


class Digit(fields.Integer):
    """A whole number within bounds, as JSON has it: neither true nor a text."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        allowed = f"must be a whole number from {least} to {most}"
        super().__init__(validate=validate.Range(least, most, error=allowed), error_messages=_refusing(allowed), **kwargs)

    def _validated(self, value: Any) -> Any:
        whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole:
            raise self.make_error("invalid")
        return super()._validated(value)


def _text(pattern: str, most: int, allowed: str, description: str, **given: Any) -> fields.String:
    def check(value: str) -> None:
        if len(value) > most or not re.fullmatch(pattern, value):
            raise ValidationError(allowed)

    metadata = shown(description, given.pop("example"), maxLength=most, pattern=pattern)
    return fields.String(validate=check, metadata=metadata, error_messages=_refusing(allowed), **given)


def _line(most: int, description: str, **given: Any) -> fields.String:
    ending = ", or null" if given.get("allow_none") else ""
    allowed = f"must be 1 to {most} characters, the first no blank, none a control character{ending}"
    return _text(VALUE_PATTERN, most, allowed, description, **given)


def _word(words: type[StrEnum], description: str, example: str, **given: Any) -> fields.String:
    allowed = f"must be one of: {', '.join(words)}{', or null' if given.get('allow_none') else ''}"
    metadata = shown(description, example, enum=[word.value for word in words])
    return fields.String(
        validate=validate.OneOf([*words], error=allowed), metadata=metadata, error_messages=_refusing(allowed), **given
    )


def _title(**given: Any) -> fields.String:
    return _line(TEXT_LIMIT, _TITLE, example=_EXAMPLE["title"], **given)


def _description(**given: Any) -> fields.String:
    allowed = f"must be at most {DESCRIPTION_LIMIT} characters, none a control character but tabs and ends of lines"
    example = _EXAMPLE["short_description"]
    return _text(DESCRIPTION_PATTERN, DESCRIPTION_LIMIT, allowed, _DESCRIPTION, example=example, **given)


class TaskQuerySchema(PagingSchema):
    """Which tasks are wanted."""

    status = Choices(tuple(TaskStatus), load_default=(), metadata=shown("How far they are.", ["open", "doing"]))
    priority = Choices(tuple(map(str, PRIORITIES)), load_default=(), metadata=shown(_PRIORITY, ["1", "2"]))
    kind = Choices(tuple(TaskKind), load_default=(), metadata=shown("What they are about.", ["manual"]))
    product = Values(load_default=(), metadata=shown("Ids of products; may be given several times.", ["lumen:7800100000001"]))
    assignee = Values(load_default=(), metadata=shown("Who takes care of them; may be given several times.", ["ada"]))
    q = fields.String(
        load_default="",
        validate=[short_text(), validate.Regexp(_PRINTED, error="must have no control character")],
        metadata=shown("Words that must all stand in title or description, in any case and also inside others.", "picture"),
    )
    sort = fields.String(
        load_default="id",
        validate=validate.OneOf(TASK_SORTS, error=f"must be one of: {', '.join(TASK_SORTS)}"),
        metadata=shown("Order; equals come by number.", "-updated"),
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> TaskQuery:
        """Give the normalised query."""
        words = tuple(sorted(set(data.pop("q").split())))
        return TaskQuery(**{**data, "priority": tuple(map(int, data["priority"]))}, words=words)


class TaskDropSchema(Parameters):
    """Which tasks are dropped at once."""

    title = fields.String(
        load_default=None,
        validate=validate.Regexp(_PRINTED, error="must have no control character"),
        metadata=shown("Only the tasks of exactly this title; without it all, which takes an admin.", _EXAMPLE["title"]),
    )


class TaskDraftSchema(Body):
    """A new task."""

    title = _title(required=True)
    short_description = _description(load_default="")
    priority = Digit(_LEAST, _MOST, load_default=3, metadata=shown(_PRIORITY, 2))
    status = _word(TaskStatus, _STATUS, "open", load_default=TaskStatus.OPEN)
    kind = _word(TaskKind, _KIND, "manual", load_default=TaskKind.MANUAL)
    product = _line(TEXT_LIMIT, _PRODUCT, example=_EXAMPLE["product"], load_default=None, allow_none=True)
    assignee = _line(ASSIGNEE_LIMIT, _ASSIGNEE, example="ada", load_default=None, allow_none=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> TaskDraft:
        """Give the draft."""
        return TaskDraft(**_typed(data))


class TaskChangeSchema(Body):
    """What is to be another at a task; at least one of the fields. What is not named stays."""

    title = _title()
    short_description = _description()
    priority = Digit(_LEAST, _MOST, metadata=shown(_PRIORITY, 2))
    status = _word(TaskStatus, _STATUS, "done")
    resolution = _word(Resolution, _RESOLUTION, "fixed", allow_none=True)
    product = _line(TEXT_LIMIT, _PRODUCT, example=_EXAMPLE["product"], allow_none=True)
    assignee = _line(ASSIGNEE_LIMIT, _ASSIGNEE, example="ada", allow_none=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Give the new values by name."""
        if not data:
            raise ValidationError(f"must have at least one of: {', '.join(self.load_fields)}", "body")
        return _typed(data)


def _typed(data: dict[str, Any]) -> dict[str, Any]:
    words: dict[str, type[StrEnum]] = {"status": TaskStatus, "resolution": Resolution, "kind": TaskKind}
    return {name: words[name](value) if name in words and value is not None else value for name, value in data.items()}


class FieldChangeSchema(Schema):
    """What a step did to one field."""

    field = fields.String(metadata=shown("Its name.", "status"))
    before = fields.String(allow_none=True, metadata=shown("What it was, as a text; null where it was none.", "open"))
    after = fields.String(allow_none=True, metadata=shown("What it became.", "done"))


class TaskStepSchema(Schema):
    """One change of a task."""

    version = fields.Integer(metadata=shown("The version it led to.", 2))
    at = UtcTime(metadata=shown("When."))
    by = fields.String(metadata=shown("Who.", "ada"))
    changes = fields.List(fields.Nested(FieldChangeSchema))
    reason = fields.String(
        allow_none=True,
        metadata=shown("Why, where Aisle took it; null for what people do.", "What it is about is no longer found."),
    )


class ListedTaskSchema(Schema):
    """A task as lists have it."""

    id = fields.Integer(metadata=shown("Its number, counted up from 1.", 7))
    title = fields.String(metadata=shown(_TITLE, _EXAMPLE["title"]))
    short_description = fields.String(metadata=shown(_DESCRIPTION, _EXAMPLE["short_description"]))
    priority = fields.Integer(metadata=shown(_PRIORITY, 2))
    status = fields.String(metadata=shown(_STATUS, "open", enum=[word.value for word in TaskStatus]))
    resolution = fields.String(
        allow_none=True, metadata=shown(_RESOLUTION, "fixed", enum=[*(word.value for word in Resolution), None])
    )
    kind = fields.String(metadata=shown(_KIND, "manual", enum=[word.value for word in TaskKind]))
    product = fields.String(allow_none=True, metadata=shown(_PRODUCT, _EXAMPLE["product"]))
    assignee = fields.String(allow_none=True, metadata=shown(_ASSIGNEE, "ada"))
    cause = fields.String(
        allow_none=True, metadata=shown("What Aisle found, for tasks that it made itself.", "missing_image:lumen:7800100000001")
    )
    version = fields.Integer(metadata=shown("Counts its changes, from 1; its ETag.", 1))
    created_at = UtcTime(metadata=shown("When it was made."))
    created_by = fields.String(metadata=shown("Who made it.", "ada"))
    updated_at = UtcTime(metadata=shown("When it last changed."))
    updated_by = fields.String(metadata=shown("Who changed it last.", "ada"))


class TaskSchema(ListedTaskSchema):
    """A task with its history."""

    history = fields.List(fields.Nested(TaskStepSchema), metadata=shown("Its changes, the oldest first; at most the last 500."))


class TaskPageSchema(PageSchema):
    """A page of tasks."""

    data = fields.List(fields.Nested(ListedTaskSchema), required=True)
    total = fields.Integer(required=True, metadata=shown("Tasks in the whole result.", 194))


class DroppedSchema(Schema):
    """What became of tasks that were dropped at once."""

    deleted = fields.Integer(metadata=shown("How many there were.", 3))
