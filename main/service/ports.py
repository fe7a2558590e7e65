"""What the services need from the outside, as protocols; resources implement them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from main.service.model import Head, Hits, Product, Query, Rejected, SyncReport


@dataclass(frozen=True, slots=True)
class CrawlPage:
    """One upstream answer: raw records as JSON bytes, which calls follow from it, and the whole list's length if told."""

    records: Iterable[bytes]
    upcoming: tuple[Hashable, ...] = ()
    total: int | None = None


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

    def close(self) -> None:
        """Give connections back."""


class Resource(Protocol):
    """Anything held open while the process runs."""

    def open(self) -> None:
        """Make it ready for use."""

    def ping(self) -> None:
        """Return when it works.

        Raises:
            AisleError: it does not.
        """

    def close(self) -> None:
        """Give back what it holds; calling it twice is harmless."""


class CatalogueReader(Resource, Protocol):
    """The catalogue as the API reads it."""

    def head(self) -> Head:
        """Give the catalogue's version and every source's record."""

    def find(self, query: Query) -> tuple[Head, Hits]:
        """Give the page a query asks for, and the head it was read at, both of one moment."""

    def get(self, product_id: str) -> bytes | None:
        """Give one product's stored document."""

    def quarantine(self, source: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        """Give one page of a source's rejected records, and how many there are."""


class Staging(Protocol):
    """Products of a crawl under way, out of everyone's sight until they are committed."""

    def known(self) -> Mapping[bytes, str]:
        """Give the digest of every record in the last good snapshot, with its source id."""

    def add(self, product: Product, document: bytes, digest: bytes) -> None:
        """Keep a new or changed product for the commit."""

    def keep(self, source_id: str) -> None:
        """Note that a product of the last good snapshot was seen again, unchanged."""

    def counts(self) -> tuple[int, int]:
        """Give how many products the last good snapshot has, and how many the staged one."""

    def commit(self, report: SyncReport, rejected: Iterable[Rejected], owner: str) -> SyncReport:
        """Replace the source's snapshot in one transaction and give the report with its counts.

        Raises:
            LeaseLost: the lease is no longer the owner's; nothing was changed.
        """

    def hold(self, report: SyncReport) -> None:
        """Record a crawl that waits for a second one, with the ids it saw; the snapshot stays."""

    def held_agrees(self) -> bool:
        """Tell whether a crawl that was held before saw (nearly) the same products as this one."""


class CatalogueWriter(Resource, Protocol):
    """The catalogue as a sync writes it."""

    def acquire(self, source: str, owner: str, until: dt.datetime, now: dt.datetime) -> bool:
        """Take or renew the lease of a source; False while another owner's is alive."""

    def release(self, source: str, owner: str) -> None:
        """Give the lease back."""

    def stage(self, source: str) -> AbstractContextManager[Staging]:
        """Open an empty staging area; what was not committed is gone when it closes."""

    def record(self, report: SyncReport) -> None:
        """Record a crawl that failed; the snapshot stays."""

    def schedule(self, source: str, at: dt.datetime) -> None:
        """Record when the source is due next."""

    def due(self, source: str) -> dt.datetime | None:
        """Give when the source is due next, if that was ever recorded."""

    def failures(self, source: str) -> int:
        """Give how many attempts have failed since the last good one."""

    def retain(self, sources: Iterable[str]) -> int:
        """Drop what belongs to sources that are no longer configured; give how many products that were."""
