"""The overview: how every source stands, and how its last syncs went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.controller.console.frame import show
from main.controller.console.history import SHOWN, draw_history
from main.controller.context import services
from main.controller.guards import reader

if TYPE_CHECKING:
    from flask import Response


@reader
def show_overview() -> Response:
    """Show the overview; it stands at ``/``, where a program gets JSON instead."""
    statuses = services().sources.find_all()
    names = [status.source.name for status in statuses]
    histories = {name: draw_history(services().syncs.find(name, 1, SHOWN)[0]) for name in names}
    size = sum(status.record.products for status in statuses)
    return show("overview", statuses=statuses, histories=histories, size=size)
