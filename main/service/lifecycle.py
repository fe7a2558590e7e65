"""Components in order: opened first to last, pinged together, closed last to first."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from main.service.errors import AisleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.ports import Resource

_log = structlog.get_logger("component")


@dataclass(frozen=True, slots=True)
class Component:
    """A resource with the name and kind it goes by in logs and ``/status``; requests can be served without one not essential."""

    name: str
    kind: str
    resource: Resource
    essential: bool = True


@dataclass(frozen=True, slots=True)
class ComponentState:
    """Whether a component works, and what is wrong when it does not."""

    name: str
    kind: str
    up: bool
    error: str | None
    essential: bool = True


class Lifecycle:
    """Owns all components of a process."""

    def __init__(self, components: Sequence[Component]) -> None:
        self._components = tuple(components)
        self._opened: list[Component] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open every component in order; when an essential one cannot be opened, close those that were.

        One that is not essential is kept all the same: it opens itself when it can.

        Raises:
            AisleError: an essential component cannot be opened.
        """
        for component in self._components:
            try:
                component.resource.open()
            except AisleError as error:
                _log.error("component.open_failed", name=component.name, kind=component.kind, error=str(error))
                if component.essential:
                    self.close()
                    raise
            else:
                _log.info("component.opened", name=component.name, kind=component.kind)
            self._opened.append(component)

    def close(self) -> None:
        """Close what was opened, in reverse; calling it twice is harmless."""
        with self._lock:
            opened, self._opened = self._opened, []
        for component in reversed(opened):
            component.resource.close()
            _log.info("component.closed", name=component.name, kind=component.kind)

    def ping(self) -> list[ComponentState]:
        """Tell of every component whether it works."""
        return [_ping(component) for component in self._components]


def _ping(component: Component) -> ComponentState:
    try:
        component.resource.ping()
    except AisleError as error:
        return ComponentState(component.name, component.kind, up=False, error=str(error), essential=component.essential)
    return ComponentState(component.name, component.kind, up=True, error=None, essential=component.essential)
