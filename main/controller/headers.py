"""Headers that keep browsers from doing what this service never needs, on every answer; nginx gives its own answers the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from main.controller.guards import VARY

if TYPE_CHECKING:
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
_PAGES = {"doc"}
_HSTS = "max-age=31536000"
_UNGUARDED = {"doc", "specs", "static", "restx_doc.static"}


def install(app: Flask) -> None:
    """Put the headers on all answers of an app."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    response.headers.update(_ALWAYS)
    response.headers["Content-Security-Policy"] = _DOCS if request.endpoint in _PAGES else _NOTHING
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = _HSTS
    if request.endpoint not in _UNGUARDED:
        response.vary.update(name.strip() for name in VARY.split(","))
    return response
