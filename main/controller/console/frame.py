"""The frame every page stands in: who looks, what they may reach, how a page becomes an answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from flask import Response, current_app, g, redirect, render_template, request, url_for

from main.controller.console.forms import TYPED, LogoutForm
from main.controller.context import services
from main.controller.guards import caller
from main.controller.headers import PAGE
from main.service.errors import Unauthenticated, Unavailable
from main.service.model import NOBODY, CallerKind, Role

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from flask import Flask

    from main.controller.console.history import History
    from main.service.model import Caller, LastSync

_KEY = "aisle.console"


class Place(NamedTuple):
    """A page of the navigation, and the role that it takes."""

    endpoint: str
    label: str
    role: Role = Role.READER


# What stands in the navigation, in this order; a page below one of them has an endpoint that begins with the same word.
PLACES = (
    Place("root", "Overview"),
    Place("console.products", "Products"),
    Place("console.sources", "Sources"),
    Place("console.tasks", "Tasks"),
)
# What a page says after something was done, by the word in its address: texts of our own only.
DONE = {
    "logout": "You are logged out.",
    "sync": "The sync is asked for; it begins within seconds. Load this page again to see how it goes.",
    "breaker": "The breaker is set.",
    "switch": "The switch is set.",
    "created": "The task is made.",
    "saved": "The task is changed.",
    "finished": "The task is done.",
    "deleted": "The task is gone.",
    "dropped": "The tasks of that title are gone.",
    "reset": "The board is empty; the next task is number 1.",
}


NOT_SENT = "Nothing was sent yet: what you typed is still here. Look at it, and send it."


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages of one app need to know: hosts whose images are loaded without https, marks of its static files, drawn histories."""

    image_hosts: frozenset[str] = frozenset()
    marks: dict[str, str] = field(default_factory=dict)
    histories: dict[str, tuple[LastSync, History]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """What every template may ask."""

    visitor: Caller
    places: tuple[Place, ...]
    here: str
    back: str
    done: str | None
    now: dt.datetime
    logout: LogoutForm | None

    def may(self, role: str) -> bool:
        """Tell whether the visitor may do what takes this role; what they may not is not shown."""
        return may(Role(role))

    def leads_here(self, place: Place) -> bool:
        """Tell whether a place of the navigation is this page, or above it."""
        return self.here == place.endpoint or self.here == place.endpoint.removesuffix("s")


def attach_console(app: Flask, console: Console) -> None:
    """Give an app what its pages need to know."""
    app.extensions[_KEY] = console


def console_of_app() -> Console:
    """Give what the pages of the app that handles this request need to know."""
    return cast("Console", current_app.extensions[_KEY])


def wants_page() -> bool:
    """Tell whether whoever asks would rather have a page than JSON, as browsers say they do."""
    return request.accept_mimetypes["text/html"] > request.accept_mimetypes["application/json"]


def may(role: Role) -> bool:
    """Tell whether the visitor may do what takes this role; what they may not is not shown."""
    found = visitor().role
    return found is not None and found.allows(role)


def visitor() -> Caller:
    """Give who is looking; nobody where that is not known, so that a page about just that can still be shown."""
    try:
        return caller()
    except (Unauthenticated, Unavailable):
        return NOBODY


def show(template: str, status: int = 200, /, *, headers: Mapping[str, str] | None = None, **told: Any) -> Response:
    """Give a page."""
    body = render_template(f"console/{template}.html", frame=make_frame(), **told)
    response = Response(body, status, mimetype="text/html")
    setattr(g, PAGE, may(Role.READER))
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


def go(endpoint: str, **values: Any) -> Response:
    """Send the browser to another page, by GET, whatever it came with."""
    response = cast("Response", redirect(url_for(endpoint, **values), 303, Response))
    response.headers["Cache-Control"] = "no-store"
    return response


def asset(name: str) -> str:
    """Give the address of a static file; another one whenever its content is, so that browsers may keep it for good."""
    marks = console_of_app().marks
    if name not in marks:
        content = (Path(str(current_app.static_folder)) / name).read_bytes()
        marks[name] = hashlib.blake2b(content, digest_size=6).hexdigest()
    return url_for("static", filename=name, v=marks[name])


def make_frame() -> Frame:
    """Give the frame of the page that is asked for."""
    found = visitor()
    return Frame(
        visitor=found,
        places=tuple(place for place in PLACES if may(place.role)),
        here=request.endpoint or "",
        back=request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else "/",
        done=NOT_SENT if TYPED in g else DONE.get(request.args.get("done", "")),
        now=services().status.now(),
        logout=LogoutForm(formdata=None) if found.kind is CallerKind.ACCOUNT else None,
    )
