"""The sources that are configured right now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from main.service.model import Source


class SourceRegistry:
    """Holds the configured sources; swapped as a whole when the settings change."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)

    def all(self) -> tuple[Source, ...]:
        """Give all sources in the order they are configured in."""
        return self._sources

    def get(self, name: str) -> Source | None:
        """Give the source of this name, if there is one."""
        return next((source for source in self._sources if source.name == name), None)

    def replace(self, sources: Iterable[Source]) -> None:
        """Put these in the place of all sources."""
        self._sources = tuple(sources)
