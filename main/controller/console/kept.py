"""What was typed into a form that could not be taken, as its login had ended: carried through the login page, and shown again."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

from flask import current_app, g, request
from werkzeug.datastructures import MultiDict

from main.controller.bodies import raw_body
from main.controller.console.forms import TYPED
from main.controller.csrf import FIELD, comes_from_here
from main.controller.guards import require
from main.controller.headers import PAGE
from main.service.model import Role
from main.util.logs import bind_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Response
    from werkzeug.routing import MapAdapter

    from main.controller.credentials import Known

PREFIX = "kept."  # of the hidden boxes in which the login page carries what was typed
LOGIN = "console.login"
_MOST = 48 * 1024  # bytes: with a name and a password beside it, it is still within the bound of a body
_NEVER = {FIELD, "password"}


def collect() -> MultiDict[str, str]:
    """Give what was typed into the form that was sent: nothing where no page of ours sent it, or none that can be shown again."""
    rule = request.url_rule
    has_page = rule is not None and {"GET", "POST"} <= (rule.methods or set()) and rule.endpoint != LOGIN
    if request.method != "POST" or not has_page or not comes_from_here() or len(raw_body()) > _MOST:
        return MultiDict()
    return _without_secrets(request.form.items(multi=True))


def read_carried() -> MultiDict[str, str]:
    """Give what the login form that was sent has carried along."""
    carried = request.form.items(multi=True)
    return _without_secrets((name.removeprefix(PREFIX), value) for name, value in carried if name.startswith(PREFIX))


def show_again(address: str, typed: MultiDict[str, str], known: Known) -> Response:
    """Give the page at an address of ours, as whoever is known sees it, its forms filled with what was typed; nothing is done.

    Raises:
        Forbidden: they may not do what its forms are for.
        AisleError: the page cannot be shown.
    """
    path, _, query = address.partition("?")
    environ = {
        **request.environ,
        "REQUEST_METHOD": "GET",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),  # as WSGI has it (PEP 3333)
        "QUERY_STRING": query,
        "CONTENT_LENGTH": "0",
        "wsgi.input": BytesIO(),
    }
    try:
        with current_app.request_context(environ):
            g.known = known
            setattr(g, TYPED, typed)
            view: Any = current_app.view_functions[str(request.endpoint)]
            (needed,) = view.view_class.post.__guards__
            require(Role(needed))
            answer = cast("Response", view(**(request.view_args or {})))
    finally:
        g.pop(TYPED, None)
        bind_request_id(g.request_id)  # the end of the inner request took it away
    setattr(g, PAGE, True)
    return answer


def has_forms(address: str) -> bool:
    """Tell whether an address is that of a page with forms that are sent to it."""
    adapter = cast("MapAdapter", current_app.create_url_adapter(request))
    path = unquote_to_bytes(address.partition("?")[0]).decode("utf-8", "replace")
    return {"GET", "POST"} <= set(adapter.allowed_methods(path)) and adapter.match(path, "GET")[0] != LOGIN


def _without_secrets(typed: Iterable[tuple[str, str]]) -> MultiDict[str, str]:
    return MultiDict([(name, value) for name, value in typed if name not in _NEVER])
