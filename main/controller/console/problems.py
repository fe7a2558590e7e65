"""Problems on pages: what the one renderer of errors says, as a page for whoever looks at pages; a missing login leads to the login page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from flask import request

from main.controller.console.frame import go, show, visitor, wants_page
from main.controller.console.kept import collect, show_again
from main.controller.console.login import ask_again
from main.controller.credentials import Known, clear_cookie
from main.controller.csrf import FIELD
from main.controller.guards import gate
from main.controller.problems import MEDIA_TYPE
from main.service.errors import AisleError
from main.service.model import NOBODY

if TYPE_CHECKING:
    from flask import Flask, Response

_TITLES = {
    HTTPStatus.FORBIDDEN: "You may not do this",
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.GONE: "This product has left the catalogue",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available right now",
}
_KEPT = ("Allow", "Retry-After")


def install(app: Flask) -> None:
    """Have problems of an app's pages shown as pages."""
    app.after_request(_turn)


def _turn(response: Response) -> Response:
    if response.mimetype != MEDIA_TYPE or not _is_for_page() or response.status_code == HTTPStatus.NOT_ACCEPTABLE:
        return response  # who rules pages out gets none
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return _ask_for_login()
    if response.status_code == HTTPStatus.FORBIDDEN and (again := _show_outdated()) is not None:
        return again
    told = orjson.loads(response.get_data())
    title = _TITLES.get(HTTPStatus(response.status_code), told["title"])
    kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
    return show("problem", response.status_code, headers=kept, title=title, told=told)


def _is_for_page() -> bool:
    """Tell whether a page was asked for: one of the console's, or an address that is nobody's by a browser."""
    return request.blueprint == "console" or (request.endpoint in {None, "root"} and wants_page())


def _show_outdated() -> Response | None:
    """Show a form again that was made for another login of this browser, to be sent with the token of the one there is now."""
    typed, who = collect(), visitor()
    if not typed or who is NOBODY or gate().csrf.holds(request.form.get(FIELD, ""), who):
        return None
    try:
        answer = show_again(request.full_path, typed, Known(who, by_cookie=True))
    except AisleError:
        return None
    answer.status_code = HTTPStatus.FORBIDDEN
    return answer


def _ask_for_login() -> Response:
    """Lead to the login page, and from there back, with what was typed; a cookie that is over would only be refused again."""
    if typed := collect():
        asked = ask_again(typed)
        clear_cookie(asked)
        return asked
    rule = request.url_rule
    shown = rule is not None and "GET" in (rule.methods or ())
    wanted = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else request.path
    answer = go("console.login", next=wanted) if shown and wanted != "/" else go("console.login")
    clear_cookie(answer)
    return answer
