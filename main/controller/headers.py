"""Headers that keep browsers from doing what this service never needs, on every answer; nginx gives its own answers the same."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import g, request

from main.controller.guards import VARY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask, Response

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Swagger UI is served from here with everything it needs; its icons are data: images in its stylesheet.
_DOCS = f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'"
# The console: its own stylesheet and script, nothing inline, forms to itself, and the products' pictures.
_CONSOLE = (
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " script-src 'self'; style-src 'self'; img-src 'self' https:"
)
_FOR_GOOD = "public, max-age=31536000, immutable"
PAGE = "page"  # in flask's g: the answer is one of the console's pages; true where whoever asks may read, and so sees the products' pictures
_HSTS = "max-age=31536000"
_UNGUARDED = {"doc", "specs", "static", "restx_doc.static"}


def install(app: Flask, image_hosts: Iterable[str] = ()) -> None:
    """Put the headers on all answers of an app; pages may load images from these hosts without https too."""
    console = " ".join((_CONSOLE, *(f"http://{host}" for host in image_hosts)))

    def add(response: Response) -> Response:
        return _add(response, console)

    app.after_request(add)


def _add(response: Response, console: str) -> Response:
    response.headers.update(_ALWAYS)
    policy = _NOTHING
    if request.endpoint == "doc":
        policy = _DOCS
    elif PAGE in g:
        # The hosts of pictures tell whose products these are: nothing for the login page.
        policy = console if g.get(PAGE) else _CONSOLE
        # Without any referrer a browser would send `Origin: null` with our own forms, and that is no proof of where they come from.
        response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Content-Security-Policy"] = policy
    if request.endpoint == "static" and "v" in request.args and response.status_code == HTTPStatus.OK:
        response.headers["Cache-Control"] = _FOR_GOOD  # the address changes with the content
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = _HSTS
    if request.endpoint not in _UNGUARDED:
        response.vary.update(name.strip() for name in VARY.split(","))
    return response
