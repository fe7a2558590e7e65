"""The sources for people: all of them, and a page for each with its settings, its guard, its syncs and its quarantine."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask.views import MethodView
from marshmallow import validate
from marshmallow.fields import String

from main.controller.console.described import describe_source
from main.controller.console.filters import build_steps, given_args
from main.controller.console.forms import BreakerForm, SwitchForm, SyncForm, switch_word
from main.controller.console.frame import DONE, go, may, show
from main.controller.console.history import SHOWN, draw_history
from main.controller.context import services
from main.controller.fields import Whole
from main.controller.guards import admin, hidden_fields, reader
from main.controller.middleware import load_args
from main.controller.parameters import PAGE_LIMIT, Parameters
from main.controller.views import cover_rejected
from main.service.errors import SourceDisabled
from main.service.model import Role

if TYPE_CHECKING:
    from flask import Response

    from main.service.model import SourceStatus

_REJECTED = 10  # records of the quarantine on a page: each may be long


class SourcePageSchema(Parameters):
    """Which page of the quarantine, and what was done before."""

    page = Whole(1, PAGE_LIMIT // _REJECTED, load_default=1)
    done = String(load_default="", validate=validate.OneOf(DONE))


_QUERY = SourcePageSchema()


class SourcesPage(MethodView):
    """All sources."""

    @reader
    def get(self) -> Response:
        """Show how every source stands."""
        return show("sources", statuses=services().sources.find_all())


class SourcePage(MethodView):
    """One source."""

    @reader
    def get(self, name: str) -> Response:
        """Show everything about one source but its secrets."""
        status = services().sources.get(name)
        return _show(status, Forms.for_status(status) if may(Role.ADMIN) else None)

    @admin
    def post(self, name: str) -> Response:
        """Do what the form that was sent is for: ask for a sync, set the breaker, or set the switch."""
        status = services().sources.get(name)
        forms = Forms.for_status(status)
        try:
            done = forms.act(name)
        except SourceDisabled as error:
            forms.sync.form_errors.append(str(error))
            return _show(status, forms, HTTPStatus.CONFLICT)
        if done is None:
            return _show(status, forms, HTTPStatus.UNPROCESSABLE_ENTITY)
        return go("console.source", name=name, done=done)


class Forms:
    """The forms of a source's page."""

    def __init__(self, **found: str) -> None:
        self.sync = SyncForm()
        self.breaker = BreakerForm(breaker=found.get("breaker"))
        self.switch = SwitchForm(enabled=found.get("enabled"))

    @classmethod
    def for_status(cls, status: SourceStatus) -> Forms:
        """Give forms that show how things stand."""
        guard = status.guard
        return cls() if guard is None else cls(breaker=guard.mode.value, enabled=switch_word(guard.enabled))

    def act(self, name: str) -> str | None:
        """Do what the form is for whose button was pressed, and give the word for it; None where something is wrong with it.

        Raises:
            SourceDisabled: no sync can be asked for.
            StoreDown: the store cannot be written.
        """
        if self.sync.sync.data and self.sync.validate():
            services().syncs.request(name, force=bool(self.sync.force.data))
            return "sync"
        if self.breaker.set_breaker.data and self.breaker.validate():
            services().sources.change(name, self.breaker.change)
            return "breaker"
        if self.switch.set_switch.data and self.switch.validate():
            services().sources.change(name, self.switch.change)
            return "switch"
        return None


def _show(status: SourceStatus, forms: Forms | None, code: int = HTTPStatus.OK) -> Response:
    name, given = status.source.name, given_args()
    page, hidden = load_args(_QUERY, given)["page"], hidden_fields()
    syncs, _ = services().syncs.find(name, 1, SHOWN)
    rejected, total = services().sources.find_rejected(name, page, _REJECTED)
    given.poplist("done")
    return show(
        "source",
        code,
        status=status,
        settings=describe_source(status.source),
        forms=forms,
        syncs=syncs,
        history=draw_history(syncs),
        rejected=[cover_rejected(record, hidden) for record in rejected],
        total=total,
        steps=build_steps(given, page, _REJECTED, total),
    )
