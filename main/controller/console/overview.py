"""The overview: how every source stands, and how its last syncs went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask.views import MethodView

from main.controller.console.frame import console_of_app, go, show
from main.controller.console.history import SHOWN, draw_history
from main.controller.context import services
from main.controller.guards import public, reader
from main.service.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from main.controller.console.history import History
    from main.service.model import LastSync, TaskKind


@reader
def show_overview() -> Response:
    """Show the overview; it stands at ``/``, where a program gets JSON instead."""
    statuses = services().sources.find_all()
    histories = {status.source.name: _give_history(status.source.name, status.record.last_sync) for status in statuses}
    size = sum(status.record.products for status in statuses)
    return show("overview", statuses=statuses, histories=histories, size=size, left=_count_tasks())


def _count_tasks() -> Mapping[TaskKind, int] | None:
    """Give how many tasks of each kind are left; None while the board is away, which keeps nobody from the sources."""
    try:
        return services().tasks.left_by_kind()
    except StoreDown:
        return None


class HomePage(MethodView):
    """Where the console's addresses begin."""

    @public
    def get(self) -> Response:
        """Lead to the overview."""
        return go("root")


def _give_history(name: str, last: LastSync | None) -> History:
    """Give a source's history; as it was drawn before while its newest sync is still the same, in the same state."""
    if last is None:
        return draw_history(())
    kept = console_of_app().histories
    known = kept.get(name)
    if known is None or known[0] != last:
        known = kept[name] = (last, draw_history(services().syncs.find(name, 1, SHOWN)[0]))
    return known[1]
