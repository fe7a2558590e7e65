"""Who may call a route: each method of each route carries exactly one of ``public``, ``reader``, ``editor`` and ``admin``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import current_app, g

from main.controller.credentials import MISSING, Known, identify
from main.service.errors import Forbidden, Unauthenticated
from main.service.model import NOBODY, CallerKind, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

    from main.controller.csrf import CsrfGuard
    from main.service.model import Caller
    from main.service.ports.doors import Door

F = TypeVar("F", bound="Callable[..., Any]")
PUBLIC = "public"
ROLE = "x-role"  # names an operation's guard in the Swagger document
VARY = "Authorization, Cookie, X-API-Key"
_KEY = "aisle.gate"


@dataclass(frozen=True, slots=True)
class Gate:
    """What guards need: the door, the CSRF guard, what a caller without a login may do, and the fields hidden from each role."""

    door: Door
    csrf: CsrfGuard
    anonymous: Role | None = None
    hidden: Mapping[Role, frozenset[str]] = field(default_factory=dict)


def attach_gate(app: Flask, gate: Gate) -> None:
    """Give an app its gate."""
    app.extensions[_KEY] = gate


def gate() -> Gate:
    """Give the gate of the app that handles this request."""
    return cast("Gate", current_app.extensions[_KEY])


def caller() -> Caller:
    """Give who is asking; found out once a request, whoever asks first.

    Raises:
        Unauthenticated: the credentials are wrong. Without any, the caller is anonymous.
    """
    return _known().caller


def hidden_fields() -> frozenset[str]:
    """Give the fields of products that the caller may not see."""
    role = caller().role
    return gate().hidden.get(role, frozenset()) if role else frozenset()


def _known() -> Known:
    if "known" not in g:
        g.known = identify(gate().door) or Known(replace(NOBODY, role=gate().anonymous), by_cookie=False)
    return cast("Known", g.known)


def require(needed: Role) -> None:
    """Return when the caller may do what takes this role.

    Raises:
        Unauthenticated: nobody is known to be asking, and anonymous callers may not.
        Forbidden: the caller's role does not suffice, or a browser's login would change something without the proof it takes.
    """
    known = _known()
    if known.by_cookie:
        gate().csrf.check(known.caller)
    found = known.caller
    if found.role is not None and found.role.allows(needed):
        return
    if found.kind is CallerKind.ANONYMOUS:
        raise Unauthenticated(MISSING)
    raise Forbidden(f"This takes the role {needed}, which this login does not have.")


def public(method: F) -> F:
    """Let everybody call a route."""
    return _mark(method, PUBLIC)


def reader(method: F) -> F:
    """Let readers, editors and admins call a route."""
    return _guard(method, Role.READER)


def editor(method: F) -> F:
    """Let editors and admins call a route."""
    return _guard(method, Role.EDITOR)


def admin(method: F) -> F:
    """Let admins call a route."""
    return _guard(method, Role.ADMIN)


def _guard(method: F, needed: Role) -> F:
    @wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        require(needed)
        return method(*args, **kwargs)

    return _mark(cast("F", guarded), needed.value)


def _mark(method: F, needed: str) -> F:
    marks = (*getattr(method, "__guards__", ()), needed)  # each of them, so that a test can see that there is just one
    vars(method)["__guards__"] = marks
    told = dict(getattr(method, "__apidoc__", {}))
    vars(method)["__apidoc__"] = {**told, "vendor": {**told.get("vendor", {}), ROLE: needed}}
    return method
