from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from main.controller.console.taskforms import ChangeTaskForm, DropForm, JudgedForm, NewTaskForm, read_version
from main.controller.taskschemas import TaskChangeSchema, TaskDraftSchema
from main.service.model import Resolution, TaskDraft, TaskStatus
from test.fakes import make_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from test.unit.controller.console.pages import Pages

NO_TOKEN = {"csrf": False}  # whether the token is right is the forms' own matter: test_forms.py


@pytest.fixture
def asked(pages: Pages) -> Iterator[None]:
    with pages.app.test_request_context("/"):
        yield


def judge_new(**typed: Any) -> tuple[Any, JudgedForm]:
    form = NewTaskForm(meta=NO_TOKEN, **{"title": "Mend the lamp", **typed})
    return form.judge(TaskDraftSchema()), form


@pytest.mark.usefixtures("asked")
def test_a_task_is_asked_for_as_json_would_ask_for_it():
    draft, _ = judge_new(short_description=" It is\r\nbroken. ", priority="1", product="lumen:1", assignee="ada")
    assert draft == TaskDraft(
        title="Mend the lamp", short_description="It is\nbroken.", priority=1, product="lumen:1", assignee="ada"
    )


@pytest.mark.usefixtures("asked")
def test_boxes_that_were_left_empty_are_nothing():
    draft, form = judge_new(short_description=None, product=" ", assignee="")
    assert draft == TaskDraft(title="Mend the lamp", priority=int(form.priority.default))


@pytest.mark.usefixtures("asked")
def test_what_is_wrong_stands_at_its_box_and_what_was_typed_stays():
    draft, form = judge_new(title="", assignee="x" * 101)
    assert draft is None
    assert {box.name for box in form if box.errors} == {"title", "assignee"}
    assert form.assignee.data == "x" * 101


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("priority", ["0", "6", "urgent", "", "²"])
def test_a_priority_that_is_none_is_refused_at_its_box(priority: str):
    draft, form = judge_new(priority=priority)
    assert (draft, bool(form.priority.errors)) == (None, True)


@pytest.mark.usefixtures("asked")
def test_what_has_no_box_is_told_for_the_whole_form():
    form = DropForm(meta=NO_TOKEN)
    form.title.errors = ["first"]
    form.blame({"title": ["second"], "odd": {"0": ["third"]}})
    assert list(form.title.errors) == ["first", "second"]
    assert [message for message in form.form_errors if "third" in message] == form.form_errors != []


@pytest.mark.usefixtures("asked")
def test_a_form_for_a_task_changes_nothing_until_something_is_typed():
    task = make_task(id=7, priority=2, status=TaskStatus.DONE, resolution=Resolution.WONT_FIX, product="lumen:1", version=4)
    shown = ChangeTaskForm.for_task(task)
    form = ChangeTaskForm(meta=NO_TOKEN, **{name: shown[name].data for name in (*shown.names, "version")})
    values = form.judge(TaskChangeSchema())
    assert values == {name: getattr(task, name) for name in form.names}
    assert read_version(str(form.version.data)) == (4,)


@pytest.mark.usefixtures("asked")
def test_a_form_for_a_task_that_is_not_done_has_no_resolution_chosen():
    form = ChangeTaskForm.for_task(make_task())
    assert (form.resolution.data, form.resolution.choices[0].value) == ("", "")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3", (3,)),
        ("0", (0,)),
        ("9" * 15, (999_999_999_999_999,)),
        ("9" * 16, ()),
        ("-1", ()),
        ("1.0", ()),
        ("²", ()),
        ("٣", ()),
        (" 1", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_only_what_is_a_version_is_read_as_one(text: str | None, version: tuple[int, ...]):
    assert read_version(text) == version
