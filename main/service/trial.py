"""Shows what becomes of a source's records, one by one, before anything is stored."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from main.service.crawl import map_record
from main.service.errors import AisleError, CrawlIncomplete, RecordRejected
from main.service.model import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from main.service.model import Fault, Product, Remark, Source
    from main.service.ports.upstream import Connector, CrawlPage


@dataclass(frozen=True, slots=True)
class Trial:
    """One record: as the shop sent it, the product's document it became (None when it is none), and what is wrong.

    ``remarks`` is what of the record the product lacks.
    """

    raw: bytes
    document: bytes | None
    faults: tuple[Fault, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What a source gave: its first records, one by one, and hints at what may be wrong with its settings."""

    trials: tuple[Trial, ...] = ()
    hints: tuple[str, ...] = ()


class TrialService:
    """Reads one page of a source and maps its first records; stores nothing."""

    def __init__(self, connect: Callable[[Source], Connector], dump: Callable[[Product], bytes]) -> None:
        self._connect = connect
        self._dump = dump

    def run(self, source: Source, *, page: int = 1, limit: int = 3) -> Tried:
        """Give the first records of a page.

        Raises:
            UpstreamError: the shop did not give the page, or one on the way to it.
            CrawlIncomplete: the list ends before it.
        """
        connector = self._connect(source)
        try:
            found = self._find_page(connector, page)
            return _sum_up([self._try_record(connector, raw) for raw in islice(found.records, limit)], found.hints)
        finally:
            connector.close()

    def look(self, source: Source, source_id: str, url: str | None = None) -> Tried:
        """Give one product as a live look gets it, by the shop's own id; nothing where the shop no longer has it.

        Raises:
            UpstreamError: the shop did not give what was asked.
            AisleError: there is no call for single products.
        """
        connector = self._connect(source)
        try:
            if not connector.look_size:
                raise AisleError(f"{source.name} cannot be asked for single products: its settings describe no item.")
            deadline = time.monotonic() + source.timeout.total_seconds()
            raw = connector.look([Wanted(source_id, url)], deadline).get(source_id)
            return Tried() if raw is None else _sum_up([self._try_record(connector, raw)])
        finally:
            connector.close()

    def _find_page(self, connector: Connector, number: int) -> CrawlPage:
        calls: list[Hashable | None] = [None]
        for position in range(number):
            if position == len(calls):
                raise CrawlIncomplete(f"The list ends after page {position}.")
            page = connector.fetch(calls[position])
            calls += [call for call in page.upcoming if call not in calls]
        return page

    def _try_record(self, connector: Connector, raw: bytes) -> Trial:
        try:
            product, document = map_record(connector, self._dump, raw)
        except RecordRejected as rejection:
            return Trial(raw, None, tuple(rejection.faults))
        return Trial(raw, document, remarks=tuple(connector.find_left_out(raw, product)))


def _sum_up(trials: Sequence[Trial], hints: Sequence[str] = ()) -> Tried:
    """Say once of an expression that it finds nothing, and only where none of the products has anything there: many have no brand."""
    nothing = [{one for one in trial.remarks if not one.found} for trial in trials if trial.document]
    common = set.intersection(*nothing) if nothing else set()
    told = [f"{one.field}: {one.text} in any record shown" for one in sorted(common, key=attrgetter("field"))]
    return Tried(
        tuple(replace(trial, remarks=tuple(one for one in trial.remarks if one.found)) for trial in trials),
        (*hints, *told),
    )
