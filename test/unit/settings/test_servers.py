"""URLs of servers; the schema's tests have how they meet the kinds."""

import pytest
from marshmallow import ValidationError

from main.settings.fields import Provided
from main.settings.loader import SettingsError, read_task_url
from main.settings.servers import ServerUrl, TaskUrl
from main.util.secret import Secret, known_secrets


def test_a_url_is_a_secret_whether_it_holds_one_or_not():
    assert ServerUrl().deserialize("redis://cache") == Secret("redis://cache")
    assert ServerUrl().deserialize(Provided("redis://u:p@cache")) == Secret("redis://u:p@cache")


@pytest.mark.parametrize("value", [5, True, ["redis://cache"], {"url": "redis://cache"}])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ValidationError, match="text"):
        ServerUrl().deserialize(value)


@pytest.mark.parametrize("value", ["redis://u:p@cache", "redis://u@cache", "rediss://:p@cache:1/0"])
def test_a_user_or_password_written_out_is_refused(value):
    with pytest.raises(ValidationError, match="url_file"):
        ServerUrl().deserialize(value)


def test_the_password_of_a_task_store_is_masked_in_the_log_from_then_on():
    url = "mongodb://aisle:hunter%202@a,b/tasks"
    assert TaskUrl().deserialize(Provided(url)) == url
    assert "hunter 2" in known_secrets()


def test_a_task_store_with_a_password_written_out_is_refused():
    with pytest.raises(ValidationError, match="url_file"):
        TaskUrl().deserialize("mongodb://aisle:hunter2@a/tasks")


def test_a_url_that_was_given_elsewhere_may_hold_a_password_and_is_not_shown_when_it_is_wrong():
    assert read_task_url("postgresql://aisle:hunter2@db/x") == "postgresql://aisle:hunter2@db/x"
    with pytest.raises(SettingsError, match="allowed: sqlite:///FILE") as caught:
        read_task_url("mysql://aisle:hunter2@db/x")
    assert "hunter2" not in str(caught.value)
