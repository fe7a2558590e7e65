"""A browser's login goes on while it is in use: its cookie is renewed by the answer to a request that it came with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from flask import g

from main.controller.credentials import set_cookie, sets_cookie
from main.controller.guards import gate
from main.service.errors import Unavailable

if TYPE_CHECKING:
    from flask import Flask, Response

    from main.controller.credentials import Known

_log = structlog.get_logger("renewal")


def install(app: Flask) -> None:
    """Have an app's answers renew cookies."""
    app.after_request(_renew)


def _renew(response: Response) -> Response:
    known: Known | None = g.get("known")
    if known is None or not known.by_cookie or sets_cookie(response):
        return response
    try:
        tokens = gate().door.renew(known.caller)
    except Unavailable as error:  # the answer is good without; the next one comes by again
        _log.warning("session.not_renewed", error=str(error))
        return response
    if tokens is not None:
        set_cookie(response, tokens)
    return response
