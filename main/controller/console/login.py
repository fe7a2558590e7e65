"""Logging in and out by a form, with the same service as ``/auth``."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Any, cast

from flask import g, redirect, request
from flask.views import MethodView
from werkzeug.datastructures import MultiDict

from main.controller.console.forms import LoginForm, LogoutForm
from main.controller.console.frame import go, show
from main.controller.console.kept import PREFIX, has_forms, read_carried, show_again
from main.controller.context import services
from main.controller.credentials import Known, clear_cookie, set_cookie
from main.controller.csrf import comes_from_here
from main.controller.guards import caller, gate, public, reader
from main.controller.limits import client_address
from main.service.errors import AisleError, Forbidden, TooManyRequests, Unauthenticated, Unavailable
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
        return _show(_make_form(visit, next=own_path(request.args.get("next", HOME))), visit, MultiDict())

    @public
    def post(self) -> Response:
        """Log in and go to the page that was wanted; what was wrong is told in one and the same way, whichever it was."""
        if not comes_from_here():
            raise Forbidden(_FROM_ELSEWHERE)
        visit, typed = _read_visit() or secrets.token_urlsafe(16), read_carried()
        form = _make_form(visit)
        if not form.validate():
            return _show(form, visit, typed, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            return _enter(form, visit, typed)
        except Unauthenticated:
            form.form_errors.append(_WRONG)
            return _show(form, visit, typed, HTTPStatus.UNAUTHORIZED)
        except TooManyRequests as error:
            wait = max(1, ceil(error.retry_after))
            form.form_errors.append(f"Too many failed logins; please wait {wait} s.")
            return _show(form, visit, typed, HTTPStatus.TOO_MANY_REQUESTS, wait)
        except Unavailable as error:
            form.form_errors.append(f"{error} Please try again in {error.retry_after} s.")
            return _show(form, visit, typed, HTTPStatus.SERVICE_UNAVAILABLE, error.retry_after)


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


def ask_again(typed: MultiDict[str, str]) -> Response:
    """Show the login page to whoever sent a form after their login had ended, with what was typed, for when they have logged in."""
    visit = _read_visit() or secrets.token_urlsafe(16)
    form = _make_form(visit, formdata=None, next=own_path(request.full_path.rstrip("?")))
    return _show(form, visit, typed, HTTPStatus.UNAUTHORIZED)


def own_path(wanted: str) -> str:
    """Give where to go after a login: the page that was wanted, if it is one of ours, or else the first one."""
    return wanted if len(wanted) <= _LONGEST and _OWN.fullmatch(wanted) else HOME


def _make_form(visit: str, **filled: Any) -> LoginForm:
    # Nobody is logged in yet, so the token is signed over a cookie that only this browser has (and no other site can set or read).
    return LoginForm(meta={"csrf_context": replace(NOBODY, session=visit)}, **filled)


def _enter(form: LoginForm, visit: str, typed: MultiDict[str, str]) -> Response:
    username, password = form.username.data, form.password.data
    with services().logins.attempt(username, client_address()):
        tokens, found = gate().door.login(username, password)
    wanted = own_path(form.next.data or HOME)
    g.known = Known(found, by_cookie=True)
    if typed and has_forms(wanted):
        answer = _give_back(form, visit, typed, wanted)
    else:
        answer = cast("Response", redirect(f"{request.script_root}{wanted}", HTTPStatus.SEE_OTHER))
    answer.headers["Cache-Control"] = "no-store"
    set_cookie(answer, tokens)
    return answer


def _give_back(form: LoginForm, visit: str, typed: MultiDict[str, str], wanted: str) -> Response:
    try:
        return show_again(wanted, typed, g.known)
    except AisleError as error:
        form.form_errors.append(f"You are logged in, but your form cannot be shown. {error}")
        return _show(form, visit, typed, HTTPStatus.CONFLICT)


def _show(
    form: LoginForm, visit: str, typed: MultiDict[str, str], status: int = HTTPStatus.OK, wait: int | None = None
) -> Response:
    kept = [(f"{PREFIX}{name}", value) for name, value in typed.items(multi=True)]
    answer = show("login", status, form=form, kept=kept, headers={} if wait is None else {"Retry-After": str(wait)})
    name = SECURE_VISIT if request.is_secure else VISIT
    answer.set_cookie(name, visit, path="/", secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def _read_visit() -> str | None:
    found = request.cookies.get(SECURE_VISIT if request.is_secure else VISIT, "")
    return found if _VISIT.fullmatch(found) else None
