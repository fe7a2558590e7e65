"""What the services need from the outside, as protocols; resources implement them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from main.service.model import (
        Head,
        Hits,
        Product,
        Query,
        Reading,
        Rejected,
        Shape,
        SyncRecord,
        SyncReport,
        Taken,
        Tombstone,
    )


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

    def tombstone(self, product_id: str) -> Tombstone | None:
        """Give when a product left the catalogue; None when it did not, or was never there."""

    def quarantine(self, source: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        """Give one page of a source's rejected records, and how many there are."""

    def rejected_of(self, source: str, record_id: str) -> Sequence[Rejected]:
        """Give the source's rejected records that have this id, in the order of the crawl, at most 20."""

    def syncs(self, source: str, page: int, per_page: int) -> tuple[Sequence[SyncRecord], int]:
        """Give one page of a source's syncs, newest first, and how many are kept."""

    def sync(self, source: str, number: int) -> SyncRecord | None:
        """Give one sync of a source by its id."""

    def watched_at(self, source: str) -> dt.datetime | None:
        """Give when a watcher last said that it watches the source."""


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


class SyncBoard(Protocol):
    """Where syncs are asked for; the one thing the API writes."""

    def request(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        """Ask for a sync of the source and give its record; while one waits already, that one (forced, if either asks for it).

        Raises:
            StoreDown: the store cannot be written.
        """


class CatalogueWriter(Resource, SyncBoard, Protocol):
    """The catalogue as a sync writes it."""

    def acquire(self, source: str, owner: str, until: dt.datetime, now: dt.datetime) -> bool:
        """Take or renew the lease of a source; False while another owner's is alive."""

    def release(self, source: str, owner: str) -> None:
        """Give the lease back."""

    def stage(self, source: str) -> AbstractContextManager[Staging]:
        """Open an empty staging area; what was not committed is gone when it closes."""

    def begin(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        """Give the record of a sync that begins: the one that was asked for, or a new one.

        Only the owner of the source's lease may call it. Records that a killed process left running are marked as stopped; a
        source whose sync was asked for stays due until that sync has ended.
        """

    def progress(self, report: SyncReport) -> None:
        """Note how far a running sync is; may be lost when the machine stops."""

    def record(self, report: SyncReport, rejected: Sequence[Rejected] | None = None) -> None:
        """Record a crawl that failed; the snapshot stays, and so does the quarantine where no other one is given."""

    def abandon(self, report: SyncReport) -> None:
        """Record that a crawl was given up, which says nothing about its source."""

    def shape(self, source: str) -> Shape | None:
        """Give what the records of the last good crawl looked like."""

    def beat(self, sources: Iterable[str], now: dt.datetime) -> None:
        """Note that these sources are being watched; may be lost when the machine stops."""

    def schedule(self, source: str, at: dt.datetime) -> None:
        """Record when the source is due next."""

    def due(self, source: str) -> dt.datetime | None:
        """Give when the source is due next: since a sync was asked for, or when its schedule says, if that was ever recorded."""

    def failures(self, source: str) -> int:
        """Give how many attempts have failed since the last good one."""

    def retain(self, sources: Iterable[str], now: dt.datetime) -> int:
        """Drop what belongs to sources that are no longer configured; give how many products that were."""


class Configuration(Protocol):
    """config.yml while a process runs. No method raises: what is wrong with the file is told, what is wrong with the data folder logged."""

    @property
    def started(self) -> str:
        """Give the mark of the last reload that was asked for before this process read the file."""

    def mark(self) -> str:
        """Give the mark of the last reload that was asked for, by anyone; another one each time. Cheap."""

    def read(self) -> Reading:
        """Read the file, and every file of secrets it names, again."""

    def announce(self) -> str:
        """Ask every process of this data folder to read the file again, and give the mark of that."""

    def report(self, taken: Taken) -> None:
        """Note what this process made of a reload, for whoever asked."""
