"""Syncs that are asked for, and how each goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from main.service.errors import NotFound, SourceDisabled
from main.service.model import SyncState
from main.service.switch import is_enabled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.model import Source, SyncRecord
    from main.service.ports import CatalogueReader, SyncBoard
    from main.service.ports.guards import GuardBook
    from main.service.registry import SourceRegistry
    from main.util.clock import Clock

_SILENCE = timedelta(seconds=15)  # three heartbeats
_UNWATCHED = "No watcher is running: the sync waits for `python -m main sync --watch`, or for a sync by hand."
_BY_PERSON = "This source was switched off; PATCH it with enabled true, or null for what the settings say, first."
_BY_SETTINGS = "This source is switched off in the settings (enabled: false)."

_log = structlog.get_logger("syncs")


@dataclass(frozen=True, slots=True)
class SyncStores:
    """Where syncs are read and asked for, and where a source's switch stands."""

    reader: CatalogueReader
    board: SyncBoard
    book: GuardBook


class SyncsService:
    """Takes requests for syncs and tells how each sync goes; the crawling is done by another process."""

    def __init__(self, stores: SyncStores, sources: SourceRegistry, clock: Clock) -> None:
        self._stores = stores
        self._sources = sources
        self._clock = clock

    def request(self, name: str, *, force: bool) -> SyncRecord:
        """Ask for a sync now and give its record; while one waits already, that one.

        Raises:
            NotFound: no source has this name.
            SourceDisabled: the source is switched off.
            StoreDown: the store cannot be written.
        """
        source = self._source(name)
        state = self._stores.book.read(name)
        if not is_enabled(source, state):
            raise SourceDisabled(_BY_SETTINGS if state.enabled is None else _BY_PERSON)
        record = self._stores.board.request(name, self._clock.now(), force=force)
        _log.info("source.sync_requested", source=name, sync=record.id, force=record.force)
        return self._with_note(record)

    def find(self, name: str, page: int, per_page: int) -> tuple[Sequence[SyncRecord], int]:
        """Give one page of a source's syncs, newest first, and how many are kept.

        Raises:
            NotFound: no source has this name.
        """
        return self._stores.reader.syncs(self._source(name).name, page, per_page)

    def get(self, name: str, number: int) -> SyncRecord:
        """Give one sync of a source.

        Raises:
            NotFound: no source has this name, or it has no such sync (any more).
        """
        record = self._stores.reader.sync(self._source(name).name, number)
        if record is None:
            raise NotFound("sync", str(number))
        return self._with_note(record)

    def _with_note(self, record: SyncRecord) -> SyncRecord:
        if record.state is not SyncState.REQUESTED:
            return record
        seen = self._stores.reader.watched_at(record.source)
        watched = seen is not None and self._clock.now() - seen < _SILENCE
        return record if watched else replace(record, note=_UNWATCHED)

    def _source(self, name: str) -> Source:
        source = self._sources.get(name)
        if source is None:
            raise NotFound("source", name)
        return source
