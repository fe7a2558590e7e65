"""Tries sources before anything depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.service.crawl import map_record
from main.service.errors import AisleError, RecordRejected
from main.service.fanout import run_together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from main.service.model import Product, Source
    from main.service.ports import Connector


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What the first call to a source gave.

    ``fault`` is why the source cannot be used; ``note`` is the first record that would go into quarantine;
    ``hints`` is what may be wrong with the settings.
    """

    source: Source
    reachable: bool
    products: int = 0
    rejected: int = 0
    total: int | None = None
    fault: str | None = None
    note: str | None = None
    hints: tuple[str, ...] = ()


class CheckService:
    """Makes one call to each source and maps what comes back; stores nothing."""

    def __init__(self, connect: Callable[[Source], Connector], dump: Callable[[Product], bytes]) -> None:
        self._connect = connect
        self._dump = dump

    def run(self, sources: Sequence[Source]) -> list[SourceCheck]:
        """Try all sources at once."""
        return run_together(self.try_source, sources)

    def try_source(self, source: Source) -> SourceCheck:
        """Try one source."""
        connector = self._connect(source)
        try:
            page = connector.fetch(None)
            notes = [self._try_record(connector, raw) for raw in page.records]
        except AisleError as error:
            return SourceCheck(source, reachable=False, fault=str(error))
        finally:
            connector.close()
        wrong = [note for note in notes if note]
        fault = "Not one of its records is a valid product: " + wrong[0] if wrong and len(wrong) == len(notes) else None
        note = wrong[0] if wrong else None
        return SourceCheck(source, True, len(notes) - len(wrong), len(wrong), page.total, fault, note, page.hints)

    def _try_record(self, connector: Connector, raw: bytes) -> str | None:
        try:
            map_record(connector, self._dump, raw)
        except RecordRejected as rejection:
            return f"record {rejection.record_id or '?'}: {rejection}"
        return None
