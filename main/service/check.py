"""Tries sources before anything depends on them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.service.crawl import map_record
from main.service.errors import (
    AisleError,
    NoAccessToken,
    RecordRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
    UpstreamUnsendable,
)
from main.service.fanout import run_together
from main.service.model import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from main.service.model import Product, Source
    from main.service.ports.upstream import Connector


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What the first call to a source gave.

    ``reachable`` is true when the shop gave a whole answer, whatever it says, and None where it was not asked; ``fault`` is why the
    source cannot be used; ``note`` is the first record that would go into quarantine; ``hints`` is what may be wrong with the settings.
    """

    source: Source
    reachable: bool | None
    products: int = 0
    rejected: int = 0
    total: int | None = None
    fault: str | None = None
    note: str | None = None
    hints: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Tell whether a sync could use what the shop gave."""
        return self.fault is None


class CheckService:
    """Makes one call to each source, and one for a single product where the settings describe it; stores nothing."""

    def __init__(self, connect: Callable[[Source], Connector], dump: Callable[[Product], bytes]) -> None:
        self._connect = connect
        self._dump = dump

    def run(self, sources: Sequence[Source]) -> list[SourceCheck]:
        """Try all sources at once."""
        return run_together(self.try_source, sources)

    def try_source(self, source: Source) -> SourceCheck:
        """Try one source."""
        connector, page = self._connect(source), None
        try:
            page = connector.fetch(None)
            tried = [self._try_record(connector, raw) for raw in page.records]
            hints = [*page.hints, *self._try_item(connector, source, tried)]
        except AisleError as error:
            return SourceCheck(source, page is not None or _has_answered(error), fault=str(error))
        finally:
            connector.close()
        wrong = [note for note in tried if isinstance(note, str)]
        fault = "Not one of its records is a valid product: " + wrong[0] if wrong and len(wrong) == len(tried) else None
        note = wrong[0] if wrong else None
        return SourceCheck(source, True, len(tried) - len(wrong), len(wrong), page.total, fault, note, tuple(hints))

    def _try_record(self, connector: Connector, raw: bytes) -> Product | str:
        try:
            return map_record(connector, self._dump, raw)[0]
        except RecordRejected as rejection:
            return f"record {rejection.record_id or '?'}: {rejection}"

    def _try_item(self, connector: Connector, source: Source, tried: Sequence[Product | str]) -> list[str]:
        """Ask for the first product alone, where the settings say how: what the list has just named must be there."""
        product = next((one for one in tried if not isinstance(one, str)), None)
        if source.item is None or product is None:
            return []
        wanted = Wanted(product.source_id, product.url)
        try:
            raw = connector.look([wanted], time.monotonic() + source.timeout.total_seconds()).get(wanted.source_id)
            if raw is None:
                return [f"item: asked for {wanted.source_id}, which its list has, the shop says that there is no such product"]
            map_record(connector, self._dump, raw)
        except AisleError as error:
            return [f"item: asked for {wanted.source_id}, which its list has: {str(error).rstrip('.')}"]
        return []


def _has_answered(error: AisleError) -> bool | None:
    """Tell by how a call failed whether the shop gave a whole answer; None where it was not asked."""
    if isinstance(error, NoAccessToken | UpstreamUnsendable):
        return None
    return not isinstance(error, UpstreamUnreachable | UpstreamTimeout)
