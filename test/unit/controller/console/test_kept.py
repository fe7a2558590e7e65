from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from main.controller.console.kept import PREFIX
from main.service.errors import StoreDown, Unavailable
from main.service.model import TaskStatus
from test.fakes import PASSWORD
from test.unit.controller.console.pages import BROWSER, PAGE, Pages, Parsed

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

HERE = {**BROWSER, **PAGE, "Origin": "http://localhost"}
LONG = 'Wired "askew"\r\n<b>& öfter</b>'
TYPED = {"title": "Mend <i>this</i>", "short_description": LONG, "priority": "1", "product": "lumen:1", "assignee": "bo"}


class Editor:
    """A browser that keeps its cookies, and who sits before it."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.client = pages, pages.app.test_client()

    def see(self, url: str) -> Parsed:
        answer = self.client.get(url, headers=BROWSER)
        assert answer.status_code == 200, answer.text
        return Parsed(answer.text)

    def send(self, url: str, headers: Any = None, **data: str) -> TestResponse:
        return self.client.post(url, headers=HERE if headers is None else headers, data=data)

    def log_in(self, page: Parsed | None = None, **data: str) -> TestResponse:
        page = page or self.see("/console/login")
        hidden = {str(field["name"]): field["value"] or "" for field in page.all("input", type="hidden")}
        return self.send("/console/login", **{**hidden, "username": "ada", "password": PASSWORD, **data})

    def end_login(self) -> None:
        """What a quarter of an hour does: the browser drops the cookie."""
        self.client.delete_cookie("token")


@pytest.fixture
def editor(pages: Pages) -> Editor:
    found = Editor(pages)
    assert found.log_in().status_code == 303
    return found


def token(page: Parsed) -> str:
    return str(next(field["value"] for field in page.all("input", name="csrf_token")))


def send_too_late(editor: Editor, url: str = "/console/tasks", **data: str) -> Parsed:
    """The page that comes for a form that is sent after the login has ended."""
    proof = token(editor.see(url))
    editor.end_login()
    answer = editor.send(url, csrf_token=proof, **data)
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "WWW-Authenticate" not in answer.headers
    return Parsed(answer.text)


def carried(page: Parsed) -> dict[str, str | None]:
    fields = page.all("input", type="hidden")
    return {str(field["name"]): field["value"] for field in fields if str(field["name"]).startswith(PREFIX)}


def area(answer: TestResponse, name: str) -> str:
    """What stands in a box of many lines."""
    return answer.text.partition(f'name="{name}"')[2].partition(">")[2].partition("</textarea>")[0].lstrip("\r\n")


def count(pages: Pages) -> int:
    return pages.tasks.count()


def test_a_form_that_is_sent_after_the_login_has_ended_comes_back_after_the_next_one(editor: Editor, pages: Pages):
    before = count(pages)
    login = send_too_late(editor, "/console/tasks?sort=title", **TYPED, create="Create task")
    assert "Your login has ended, so nothing was sent yet." in login.text
    assert not [link for link in login.all("a") if "/login" in str(link["href"])]  # it would lead past what was typed
    assert login.one("input", name="next")["value"] == "/console/tasks?sort=title"
    answer = editor.log_in(login)
    page = Parsed(answer.text)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "img-src" in answer.headers["Content-Security-Policy"]
    assert "Nothing was sent yet" in page.text
    assert page.one("input", name="assignee", id="assignee")["value"] == "bo"
    assert page.all("input", name="title", id="title")[0]["value"] == TYPED["title"]
    assert "<b>" not in area(answer, "short_description")
    assert "&lt;b&gt;&amp; öfter" in area(answer, "short_description")
    assert [one["value"] for one in page.all("option") if "selected" in one and one["value"] in set("12345")] == ["1"]
    assert count(pages) == before
    assert page.one("a", href="/console/tasks", **{"aria-current": "page"})
    assert not page.one("input", id="drop-title").get("value")  # whose button was not pressed
    form = next(found for found in page.all("form", method="post") if "tasks" in str(found["action"]))
    assert form["action"] == "/console/tasks?sort=title"

    sent = editor.send(str(form["action"]), csrf_token=token(page), **TYPED, create="Create task")
    assert sent.status_code == 303
    made = pages.tasks.get(before + 1)
    assert made is not None
    assert (made.title, made.assignee, made.priority) == (TYPED["title"], "bo", 1)
    assert made.short_description == LONG.replace("\r\n", "\n")


def test_neither_a_password_nor_a_token_is_carried_along(editor: Editor):
    page = send_too_late(editor, title="Mend", password="typed into the wrong box", create="Create task")
    assert carried(page) == {"kept.title": "Mend", "kept.create": "Create task"}
    assert page.one("input", name="password").get("value") in {None, ""}
    again = Parsed(editor.log_in(page, **{"kept.password": "x", "kept.csrf_token": "y", "password": "wrong"}).text)
    assert carried(again) == carried(page)


def test_what_was_typed_survives_logins_that_fail(editor: Editor, pages: Pages):
    page = send_too_late(editor, **TYPED, create="Create task")
    kept = carried(page)
    for given in ({"password": "wrong"}, {"password": ""}, {"csrf_token": "a.b"}):
        page = Parsed(editor.log_in(page, **given).text)
        assert carried(page) == kept
    door = pages.door.login
    pages.door.login = lambda *_: (_ for _ in ()).throw(Unavailable("Busy.", retry_after=7))
    answer = editor.log_in(page)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    page = Parsed(answer.text)
    assert "Busy. Please try again in 7 s." in page.text
    pages.door.login = door
    assert "bo" in editor.log_in(page).text


def test_a_change_of_a_task_is_still_one_of_the_version_that_was_seen(editor: Editor, pages: Pages):
    page = editor.see("/console/tasks/1")
    seen = page.all("input", name="version")[0]["value"]
    login = send_too_late(
        editor, "/console/tasks/1", version=str(seen), title="Mine", status="doing", priority="2", change="Save changes"
    )
    task = pages.tasks.get(1)
    assert task is not None
    pages.tasks.replace(task.changed({"status": TaskStatus.DONE}, task.updated_at, "them"), task.version)
    answer = editor.log_in(login)
    page = Parsed(answer.text)
    assert page.one("input", name="title")["value"] == "Mine"
    assert [field["value"] for field in page.all("input", name="version")] == [seen, "2"]
    forms = page.all("form", method="post", action="/console/tasks/1")
    assert len(forms) == 2
    sent = editor.send(
        "/console/tasks/1", csrf_token=token(page), version=str(seen), title="Mine", priority="2", status="doing", change="x"
    )
    assert sent.status_code == 409
    assert pages.tasks.get(1).version == 2


def test_a_form_of_a_source_comes_back_too(editor: Editor, pages: Pages):
    login = send_too_late(editor, "/console/sources/lumen", breaker="forced_open", set_breaker="Set breaker")
    page = Parsed(editor.log_in(login).text)
    assert next(one["value"] for one in page.all("option") if "selected" in one) == "forced_open"
    assert pages.book.read("lumen").mode == "auto"
    assert page.all("form", action="/console/sources/lumen")


def test_who_logs_in_with_a_role_that_may_not_do_it_is_told_and_keeps_what_was_typed(editor: Editor):
    login = send_too_late(editor, **TYPED, create="Create task")
    answer = editor.log_in(login, username="rita")
    page = Parsed(answer.text)
    assert answer.status_code == 409
    assert "You are logged in, but your form cannot be shown. This takes the role editor" in page.text
    assert "what you typed is still here" not in page.text
    assert carried(page) == carried(login)
    assert editor.client.get("/auth/me").json["username"] == "rita"
    assert editor.log_in(page).status_code == 200


def test_where_the_page_of_the_form_is_away_it_is_told_and_what_was_typed_is_kept(editor: Editor, pages: Pages):
    login = send_too_late(editor, **TYPED, create="Create task")
    pages.tasks.down = True
    page = Parsed(editor.log_in(login).text)
    assert f"cannot be shown. {StoreDown()}" in page.text
    assert carried(page) == carried(login)
    pages.tasks.down = False
    assert "Nothing was sent yet" in Parsed(editor.log_in(page).text).text


def test_a_login_that_was_revoked_counts_like_one_that_is_over(editor: Editor, pages: Pages):
    proof = token(editor.see("/console/tasks"))
    pages.door.callers.pop(str(editor.client.get_cookie("token").value))
    answer = editor.send("/console/tasks", csrf_token=proof, **TYPED)
    assert answer.status_code == 401
    assert carried(Parsed(answer.text))
    assert editor.client.get_cookie("token") is None


def test_a_form_of_the_login_before_is_shown_again_with_the_token_of_this_one(editor: Editor, pages: Pages):
    before, proof = count(pages), token(editor.see("/console/tasks"))
    editor.end_login()
    assert editor.log_in().status_code == 303  # in another tab
    answer = editor.send("/console/tasks", csrf_token=proof, **TYPED, create="Create task")
    page = Parsed(answer.text)
    assert (answer.status_code, count(pages)) == (403, before)
    assert "Nothing was sent yet" in page.text
    assert page.one("input", name="assignee", id="assignee")["value"] == "bo"
    assert editor.send("/console/tasks", csrf_token=token(page), **TYPED, create="Create task").status_code == 303


def test_a_form_of_the_login_before_that_this_one_may_not_send_is_refused(editor: Editor):
    proof = token(editor.see("/console/tasks"))
    editor.end_login()
    editor.log_in(username="rita")
    answer = editor.send("/console/tasks", csrf_token=proof, **TYPED, create="Create task")
    assert answer.status_code == 403
    assert "You may not do this" in answer.text
    assert "Nothing was sent yet" not in answer.text


def test_with_its_own_token_a_role_that_does_not_suffice_is_refused_as_ever(pages: Pages):
    answer = pages.post("/console/tasks", "reader", **TYPED, create="Create task")
    assert answer.status_code == 403
    assert "You may not do this" in answer.text


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}])
def test_what_another_site_sends_is_not_carried_along(editor: Editor, headers: dict[str, str]):
    editor.end_login()
    answer = editor.send("/console/tasks", {**BROWSER, **headers}, **TYPED)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login?next=/console/tasks")


def test_what_is_longer_than_any_honest_form_is_not_carried_along(editor: Editor):
    editor.end_login()
    assert editor.send("/console/tasks", short_description="x" * 50_000).status_code == 303
    page = Parsed(editor.send("/console/tasks", short_description="x" * 48_000).text)
    assert editor.log_in(page).status_code == 200


@pytest.mark.parametrize("wanted", ["/", "/console/login", "/console/logout", "/console/products", "/console/nowhere"])
def test_where_no_form_is_nothing_is_shown_again(editor: Editor, wanted: str):
    login = send_too_late(editor, **TYPED)
    answer = editor.log_in(login, next=wanted)
    assert (answer.status_code, answer.headers["Location"]) == (303, wanted)


def test_an_end_of_the_login_that_is_sent_too_late_just_leads_to_the_login_page(editor: Editor):
    proof = token(editor.see("/"))
    editor.end_login()
    answer = editor.send("/console/logout", csrf_token=proof, leave="Log out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login")


def test_the_line_in_the_log_keeps_its_request_id(editor: Editor, log_lines: Any):
    login = send_too_late(editor, **TYPED)
    log_lines()
    editor.log_in(login)
    told = [line for line in log_lines() if line["event"] == "request.served"]
    assert told[-1]["path"] == "/console/login"
    assert told[-1]["request_id"]


def test_behind_a_prefix_the_form_is_sent_below_it(pages: Pages):
    proxied = {**HERE, "X-Forwarded-Prefix": "/service/aisle"}
    browser = Editor(pages)
    login = Parsed(browser.send("/console/tasks", proxied, **TYPED).text)
    hidden = {str(field["name"]): field["value"] or "" for field in login.all("input", type="hidden")}
    page = Parsed(browser.send("/console/login", proxied, **hidden, username="ada", password=PASSWORD).text)
    assert page.all("form", action="/service/aisle/console/tasks")
