"""Answers questions about the catalogue from the last good snapshots; no shop is ever called on this path."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from cachetools import LRUCache

from main.service import freshness
from main.service.errors import Gone, InvalidQuery, NotFound, NothingYet
from main.service.model import Page
from main.util.timed import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.service.model import Head, Hits, Query, Source, SourceStatus
    from main.service.ports import CatalogueReader
    from main.service.ports.guards import GuardBook
    from main.service.registry import SourceRegistry
    from main.util.clock import Clock


_PAGE_BYTES = 32 * 1024


def _weigh(hits: Hits) -> int:
    # In pages of the usual size, so that a hundred long products a page cannot take a worker's memory.
    return 1 + sum(map(len, hits.documents)) // _PAGE_BYTES


class SearchService:
    """Finds products; remembers answered pages by catalogue version and normalised query."""

    def __init__(
        self, reader: CatalogueReader, sources: SourceRegistry, clock: Clock, book: GuardBook, *, cached_pages: int
    ) -> None:
        self._reader = reader
        self._sources = sources
        self._clock = clock
        self._book = book
        self._pages: LRUCache[tuple[int, Query], Hits] = LRUCache(cached_pages, getsizeof=_weigh)
        self._lock = threading.Lock()

    def head(self) -> Head:
        """Give the catalogue's version and every source's record.

        Raises:
            NothingYet: no source has a snapshot.
        """
        head = self._reader.head()
        if not any(record.synced_at for record in head.records.values()):
            raise NothingYet(self.statuses(head))
        return head

    def check(self, **named: Sequence[str]) -> None:
        """Return when every source that these parameters name is configured.

        Raises:
            InvalidQuery: one is not.
        """
        names = [source.name for source in self._sources.all()]
        wrong = {parameter: [f"is not one of: {', '.join(names)}"] for parameter, given in named.items() if {*given} - {*names}}
        if wrong:
            raise InvalidQuery(wrong)

    def statuses(self, head: Head) -> list[SourceStatus]:
        """Give how every configured source stands right now."""
        return [self._stand(source, head) for source in self._sources.all()]

    def _stand(self, source: Source, head: Head) -> SourceStatus:
        state = self._book.read(source.name)
        return freshness.decide(source, head.records.get(source.name), self._clock.now(), state)

    @timed
    def find(self, query: Query, head: Head) -> Page:
        """Give the page a query asks for, as of ``head`` or newer."""
        key = (head.version, query)
        with self._lock:
            remembered = self._pages.get(key)
        if remembered is not None:
            return Page(head, query, remembered)
        current, hits = self._reader.find(query)
        if self._pages.maxsize:
            with self._lock, suppress(ValueError):  # heavier than all that may be remembered
                self._pages[(current.version, query)] = hits
        return Page(current, query, hits)

    @timed
    def get(self, product_id: str) -> bytes:
        """Give one product's document.

        Raises:
            Gone: there was one with this id, and it has left the catalogue.
            NotFound: there is no product with this id.
        """
        document = self._reader.get(product_id)
        if document is not None:
            return document
        tombstone = self._reader.tombstone(product_id)
        raise NotFound("product", product_id) if tombstone is None else Gone(tombstone)
