"""What is known about the sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service import freshness
from main.service.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.model import Rejected, Source, SourceStatus
    from main.service.ports import CatalogueReader
    from main.service.registry import SourceRegistry
    from main.util.clock import Clock


class SourceService:
    """Tells how every configured source stands."""

    def __init__(self, reader: CatalogueReader, sources: SourceRegistry, clock: Clock) -> None:
        self._reader = reader
        self._sources = sources
        self._clock = clock

    def find_all(self) -> list[SourceStatus]:
        """Give all sources in the order they are configured in."""
        records, now = self._reader.head().records, self._clock.now()
        return [freshness.decide(source, records.get(source.name), now) for source in self._sources.all()]

    def get(self, name: str) -> SourceStatus:
        """Give one source.

        Raises:
            NotFound: no source has this name.
        """
        source = self._source(name)
        return freshness.decide(source, self._reader.head().records.get(name), self._clock.now())

    def find_rejected(self, name: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        """Give one page of a source's quarantine, and how many records are in it.

        Raises:
            NotFound: no source has this name.
        """
        return self._reader.quarantine(self._source(name).name, page, per_page)

    def _source(self, name: str) -> Source:
        source = self._sources.get(name)
        if source is None:
            raise NotFound("source", name)
        return source
