"""Which sources there are right now; they change while the process runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from main.service.model import Source


class SourceRegistry:
    """The configured sources, in their order; safe to use from several threads."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._sources = tuple(sources)

    def all(self) -> tuple[Source, ...]:
        """Give the sources as of one moment: whoever needs several looks keeps what this gave."""
        return self._sources

    def get(self, name: str) -> Source | None:
        """Give the source of this name, if there is one."""
        return next((source for source in self._sources if source.name == name), None)

    def replace(self, sources: Iterable[Source]) -> None:
        """Put these sources in the place of the others, all at once; one that is as it was stays the same object."""
        known = {source.name: source for source in self._sources}
        self._sources = tuple(known[source.name] if known.get(source.name) == source else source for source in sources)
