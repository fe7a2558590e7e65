"""How a source is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from main.service.errors import UpstreamHeld
    from main.service.model import Product, Remark, Wanted


@dataclass(frozen=True, slots=True)
class CrawlPage:
    """One upstream answer: raw records as JSON bytes, which calls follow from it, and the whole list's length if told.

    ``held`` is how many of its records are given by later calls, which complete them. ``hints`` is what may be wrong with the settings,
    for whoever tries a source; no fault of the answer.
    """

    records: Iterable[bytes]
    upcoming: tuple[Hashable, ...] = ()
    total: int | None = None
    held: int = 0
    hints: tuple[str, ...] = ()


class Connector(Protocol):
    """One source, spoken to in its own dialect."""

    @property
    def fingerprint(self) -> bytes:
        """Changes when the same record would be mapped to another product: kind, settings, version of the mapping."""

    def fetch(self, call: Hashable | None) -> CrawlPage:
        """Make one call of a crawl; ``None`` is the first. Safe to call from several threads.

        Raises:
            UpstreamError: the shop did not give what was asked.
        """

    def load(self, raw: bytes) -> Product:
        """Map one raw record to a product.

        Raises:
            RecordRejected: the record is not a valid product; carries each field and reason.
        """

    def find_left_out(self, raw: bytes, product: Product) -> Sequence[Remark]:
        """Give what the settings describe and the product of a raw record lacks; for whoever tries a source."""

    @property
    def look_size(self) -> int:
        """Give how many products one live look can ask for; 0 where the shop cannot be asked for single products."""

    def find_hold(self) -> UpstreamHeld | None:
        """Give why no call to the shop may begin, as it was a moment ago, or None. Costs next to nothing."""

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Ask the shop for these products (at most :attr:`look_size`) and give their raw records by source id.

        Ends by ``deadline`` (monotonic seconds). Products that the shop no longer has are left out. Safe to call from several
        threads.

        Raises:
            UpstreamError: the shop did not give what was asked.
        """

    def close(self) -> None:
        """Give connections back."""
