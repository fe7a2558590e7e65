"""Logging in and out by a form, with the same service as ``/auth``."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING

from flask import redirect, request
from flask.views import MethodView

from main.controller.console.forms import LoginForm, LogoutForm
from main.controller.console.frame import go, show
from main.controller.context import services
from main.controller.credentials import clear_cookie, set_cookie
from main.controller.csrf import comes_from_here
from main.controller.guards import caller, gate, public, reader
from main.controller.limits import client_address
from main.service.errors import Forbidden, TooManyRequests, Unauthenticated
from main.service.model import NOBODY

if TYPE_CHECKING:
    from flask import Response

HOME = "/"
VISIT, SECURE_VISIT = "visit", "__Host-visit"
# Our own pages, and nothing that a browser could take for another host.
_OWN = re.compile(r"/(?:console/[!-\[\]-~]*)?(?:\?[!-\[\]-~]*)?")
_LONGEST = 2000
_VISIT = re.compile(r"[A-Za-z0-9_-]{22}")
_FROM_ELSEWHERE = "This login was sent from another site."
_WRONG = "The name or the password is wrong."


class LoginPage(MethodView):
    """A login."""

    @public
    def get(self) -> Response:
        """Show the form."""
        visit = _read_visit() or secrets.token_urlsafe(16)
        return _show(_make_form(visit, next=own_path(request.args.get("next", HOME))), visit)

    @public
    def post(self) -> Response:
        """Log in and go to the page that was wanted; what was wrong is told in one and the same way, whichever it was."""
        if not comes_from_here():
            raise Forbidden(_FROM_ELSEWHERE)
        visit = _read_visit() or secrets.token_urlsafe(16)
        form = _make_form(visit)
        if not form.validate():
            return _show(form, visit, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            return _enter(form)
        except Unauthenticated:
            form.form_errors.append(_WRONG)
            return _show(form, visit, HTTPStatus.UNAUTHORIZED)
        except TooManyRequests as error:
            wait = max(1, ceil(error.retry_after))
            form.form_errors.append(f"Too many failed logins; please wait {wait} s.")
            return _show(form, visit, HTTPStatus.TOO_MANY_REQUESTS, wait)


class LogoutPage(MethodView):
    """The end of a login."""

    @reader
    def post(self) -> Response:
        """End the login with all its tokens, and the browser's cookie."""
        if not LogoutForm().validate():
            raise Forbidden(_FROM_ELSEWHERE)
        gate().door.logout(caller())
        answer = go("console.login", done="logout")
        clear_cookie(answer)
        return answer


def own_path(wanted: str) -> str:
    """Give where to go after a login: the page that was wanted, if it is one of ours, or else the first one."""
    return wanted if len(wanted) <= _LONGEST and _OWN.fullmatch(wanted) else HOME


def _make_form(visit: str, **filled: str) -> LoginForm:
    # Nobody is logged in yet, so the token is signed over a cookie that only this browser has (and no other site can set or read).
    return LoginForm(meta={"csrf_context": replace(NOBODY, session=visit)}, **filled)


def _enter(form: LoginForm) -> Response:
    username, password = form.username.data, form.password.data
    with services().logins.attempt(username, client_address()):
        tokens, _ = gate().door.login(username, password)
    answer: Response = redirect(f"{request.script_root}{own_path(form.next.data or HOME)}", HTTPStatus.SEE_OTHER)  # type: ignore[assignment]
    answer.headers["Cache-Control"] = "no-store"
    set_cookie(answer, tokens)
    return answer


def _show(form: LoginForm, visit: str, status: int = HTTPStatus.OK, wait: int | None = None) -> Response:
    answer = show("login", status, form=form, headers={} if wait is None else {"Retry-After": str(wait)})
    name = SECURE_VISIT if request.is_secure else VISIT
    answer.set_cookie(name, visit, path="/", secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def _read_visit() -> str | None:
    found = request.cookies.get(SECURE_VISIT if request.is_secure else VISIT, "")
    return found if _VISIT.fullmatch(found) else None
