from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from main.controller.console.forms import BreakerForm, SwitchForm, switch_word
from main.service.model import BreakerMode, GuardChange

if TYPE_CHECKING:
    from test.unit.controller.console.pages import Pages


@pytest.mark.parametrize("mode", BreakerMode)
def test_a_breaker_is_set_to_each_mode(pages: Pages, mode: BreakerMode):
    with pages.app.test_request_context("/"):
        assert BreakerForm(breaker=mode.value).change == GuardChange(mode=mode)


@pytest.mark.parametrize("enabled", [True, False, None])
def test_a_switch_is_set_to_each_place(pages: Pages, *, enabled: bool | None):
    with pages.app.test_request_context("/"):
        assert SwitchForm(enabled=switch_word(enabled)).change == GuardChange(sets_enabled=True, enabled=enabled)


def test_each_form_has_the_token_of_its_login(pages: Pages):
    page = pages.see("/console/sources/lumen", "admin")
    tokens = [field["value"] for field in page.all("input", name="csrf_token")]
    assert len(page.all("form", method="post")) == len(tokens) == len(set(tokens)) == 4
    for token in tokens:
        assert pages.post("/console/sources/lumen", csrf_token=token, sync="1").status_code == 303
        assert pages.post("/console/sources/lumen", "editor", csrf_token=token, sync="1").status_code == 403


def test_a_program_with_a_key_needs_the_token_in_a_form_too(pages: Pages):
    answer = pages.ask("POST", "/console/sources/lumen", "admin-key", data={"sync": "1"})
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert "please send it again" in answer.text
