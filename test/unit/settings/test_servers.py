"""URLs of servers; the schema's tests have how they meet the kinds."""

import pytest
from marshmallow import ValidationError

from main.settings.fields import Provided
from main.settings.servers import ServerUrl
from main.util.secret import Secret


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
