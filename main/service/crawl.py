"""One crawl of one source: every record mapped, kept as known, or put into quarantine; nothing is committed here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from main.service.errors import CrawlIncomplete, RecordRejected
from main.service.model import Fault, Rejected
from main.service.shape import LOOKED_AT, Sketch
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from main.service.model import Product, Source
    from main.service.ports import Staging
    from main.service.ports.upstream import Connector, CrawlPage

_RAW_LIMIT = 8_000
_QUARANTINE_LIMIT = 5_000
_EMPTY_LIMIT = 100  # a list without a total is asked for up to 64 pages (concurrency) past its end, and that is no fault

_log = structlog.get_logger("crawl")


@dataclass(slots=True)
class Tally:
    """What a crawl has come to so far."""

    pages: int = 0
    received: int = 0
    total: int | None = None
    rejected_count: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    sketch: Sketch = field(default_factory=Sketch, compare=False)


def map_record(connector: Connector, dump: Callable[[Product], bytes], raw: bytes) -> tuple[Product, bytes]:
    """Give a raw record's product and its document.

    Raises:
        RecordRejected: it is no valid product, or the mapping itself broke on it.
    """
    try:
        product = connector.load(raw)
        return product, dump(product)
    except RecordRejected:
        raise
    except Exception as error:  # a record nobody foresaw must not harm its neighbours
        _log.exception("record.mapping_failed")
        raise RecordRejected([Fault("record", f"could not be mapped ({type(error).__name__})")]) from error


class Crawl:
    """Takes a source's pages one after the other and sorts their records; counts go to ``tally`` where one is given."""

    def __init__(
        self,
        source: Source,
        connector: Connector,
        staging: Staging,
        dump: Callable[[Product], bytes],
        tally: Tally | None = None,
    ) -> None:
        self.tally = Tally() if tally is None else tally
        self._source = source
        self._connector = connector
        self._staging = staging
        self._dump = dump
        self._key = connector.fingerprint
        self._known = staging.known()
        self._digests: set[bytes] = set()
        self._owners: dict[str, bytes] = {}
        self._empty = 0
        self._empty_in_a_row = 0

    def run(self, pages: Iterable[CrawlPage], on_page: Callable[[Tally], None]) -> Tally:
        """Take all pages in.

        Raises:
            CrawlIncomplete: they do not add up to the whole list.
            UpstreamError: a page could not be had.
        """
        for page in pages:
            self._take_page(page)
            on_page(self.tally)
        tally = self.tally
        if tally.total is not None and tally.received < tally.total:
            raise CrawlIncomplete(f"The shop says it has {tally.total} products, but gave {tally.received}.")
        return tally

    def _take_page(self, page: CrawlPage) -> None:
        tally, new, before = self.tally, 0, self.tally.received
        if page.total is not None:
            tally.total = page.total if tally.total is None else min(tally.total, page.total)
        for raw in page.records:
            tally.received += 1
            new += self._take_record(raw, tally.received)
        tally.pages += 1
        self._count_empty(empty=tally.received == before and not page.held)
        if tally.received > before and not new:
            raise CrawlIncomplete(f"The shop repeats itself: its page {tally.pages} has only records that came before.")

    def _count_empty(self, *, empty: bool) -> None:
        self._empty += empty
        self._empty_in_a_row = self._empty_in_a_row + 1 if empty else 0
        if self._empty_in_a_row > _EMPTY_LIMIT:
            raise CrawlIncomplete(
                f"The shop gave more than {_EMPTY_LIMIT} empty pages in a row: its list seems to have no end."
            )
        if self._empty > self._source.max_products + _EMPTY_LIMIT:
            raise CrawlIncomplete(f"The shop gave {self._empty} empty pages, more than max_products allows products.")

    def _take_record(self, raw: bytes, position: int) -> bool:
        digest = hashlib.blake2b(raw, digest_size=16, key=self._key).digest()
        if digest in self._digests:
            return False
        self._digests.add(digest)
        if len(self._digests) > self._source.max_products:
            raise CrawlIncomplete.too_many(self._source.max_products)
        if len(self._digests) <= LOOKED_AT:
            self.tally.sketch.add(raw)
        known = self._known.get(digest)
        if known is not None and self._owners.setdefault(known, digest) == digest:
            self._staging.keep(known)
            return True
        try:
            self._stage(raw, digest)
        except RecordRejected as rejection:
            self._reject(position, rejection, raw)
        return True

    def _stage(self, raw: bytes, digest: bytes) -> None:
        product, document = map_record(self._connector, self._dump, raw)
        if self._owners.setdefault(product.source_id, digest) != digest:
            raise RecordRejected([Fault("id", "is already used by another record of this shop")], product.source_id)
        self._staging.add(product, document, digest)

    def _reject(self, position: int, rejection: RecordRejected, raw: bytes) -> None:
        self.tally.rejected_count += 1
        if len(self.tally.rejected) < _QUARANTINE_LIMIT:
            text = shorten(raw.decode("utf-8", "replace"), _RAW_LIMIT)
            self.tally.rejected.append(Rejected(position, rejection.record_id, rejection.faults, text))
