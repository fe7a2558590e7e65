"""What is known about the sources, and what a person decides about calling them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from main.service import freshness, guardview
from main.service.errors import NotFound, SwitchedMeanwhile
from main.service.switch import apply_change, find_switch

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from main.service.model import GuardChange, GuardState, Rejected, Source, SourceRecord, SourceStatus
    from main.service.ports import CatalogueReader
    from main.service.ports.guards import GuardBook
    from main.service.registry import SourceRegistry
    from main.util.clock import Clock

_log = structlog.get_logger("sources")


class SourceService:
    """Tells how every configured source stands, and changes its guard."""

    def __init__(self, reader: CatalogueReader, sources: SourceRegistry, clock: Clock, book: GuardBook) -> None:
        self._reader = reader
        self._sources = sources
        self._clock = clock
        self._book = book

    def find_all(self) -> list[SourceStatus]:
        """Give all sources in the order they are configured in."""
        records = self._reader.head().records
        return [self._stand(source, records.get(source.name)) for source in self._sources.all()]

    def get(self, name: str) -> SourceStatus:
        """Give one source.

        Raises:
            NotFound: no source has this name.
        """
        source = self._source(name)
        return self._stand(source, self._reader.head().records.get(name))

    def change(self, name: str, change: GuardChange, seen: Collection[str] | None = None) -> SourceStatus:
        """Set a source's breaker or switch and give how it stands then; where ``seen`` is given, only if its switch has one of these tags.

        Raises:
            NotFound: no source has this name.
            SwitchedMeanwhile: its switch is another one by now.
        """
        source = self._source(name)

        def step(state: GuardState) -> tuple[GuardState, tuple[GuardState, bool]]:
            if seen is not None and find_switch(source, state).tag not in seen:
                return state, (state, False)
            changed = apply_change(change, state)
            return changed, (changed, True)

        state, done = self._book.change(source.name, step)
        if not done:
            raise SwitchedMeanwhile(find_switch(source, state))
        _log.info("source.guard_changed", source=name, breaker=state.mode, enabled=state.enabled)
        return self.get(name)

    def find_rejected(self, name: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        """Give one page of a source's quarantine, and how many records are in it.

        Raises:
            NotFound: no source has this name.
        """
        return self._reader.quarantine(self._source(name).name, page, per_page)

    def find_notes(self, product_id: str) -> Sequence[Rejected]:
        """Give the records in quarantine that have a product's id; none where its source is not configured."""
        name, _, source_id = product_id.partition(":")
        return self._reader.rejected_of(name, source_id) if self._sources.get(name) else ()

    def _stand(self, source: Source, record: SourceRecord | None) -> SourceStatus:
        now, state = self._clock.now(), self._book.read(source.name)
        status = freshness.decide(source, record, now, state)
        return replace(status, guard=guardview.describe(state, now.timestamp()))

    def _source(self, name: str) -> Source:
        source = self._sources.get(name)
        if source is None:
            raise NotFound("source", name)
        return source
