"""What the services need from the outside, as protocols; resources implement them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import datetime as dt
    import threading
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from main.service.errors import UpstreamHeld
    from main.service.model import (
        GuardState,
        Head,
        Hits,
        Product,
        Query,
        Reading,
        Rejected,
        Remark,
        Shape,
        SyncRecord,
        SyncReport,
        Taken,
        Tombstone,
        Wanted,
    )

T = TypeVar("T")


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


class Cache(Resource, Protocol):
    """Bytes by key, each for a while; a miss is always allowed. Safe to use from several threads.

    Every method raises CacheDown when the tier does not answer, except on a tiered cache, which takes that as a miss.
    """

    def get(self, key: str) -> bytes | None:
        """Give the value, or None where there is none or its time is over."""

    def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value for that long."""

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        """Take the lock of this name, or renew it where the owner has it; False while another owner's is alive."""

    def unlock(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's."""


class NearCache(Cache, Protocol):
    """A cache with a tier in this process's own memory, which never raises CacheDown."""

    def peek(self, key: str) -> bytes | None:
        """Give the value if it is at hand in this process, without asking anybody."""

    def consult(self, key: str) -> bytes | None:
        """Give the value that all processes share, which may be newer than the one at hand; where it cannot be had, that one."""


class GuardBook(Protocol):
    """The guards' state, shared by all processes of the machine. Safe to use from several threads."""

    def read(self, source: str) -> GuardState:
        """Give a source's state as it was a moment ago; that of a source never seen is the default one. Costs next to nothing."""

    def read_now(self, source: str) -> GuardState:
        """Give a source's state as it is now."""

    def change(self, source: str, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        """Replace a source's state by what ``step`` makes of it, as one step for all processes, and give its answer."""

    def note(self, source: str, step: Callable[[GuardState], tuple[GuardState, Any]]) -> None:
        """Do the same soon, and before the next change at the latest; for what only counts, and has no time to wait for others."""

    def slot(
        self, source: str, limit: int, deadline: float, closed: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold one of the source's ``limit`` places for calls under way, counted over all processes of the machine.

        Those of one process get theirs in the order they came. Whoever sets ``closed`` sends the waiter away within a second.

        Raises:
            UpstreamTimeout: none was free before the deadline (monotonic seconds).
            UpstreamClosed: ``closed`` was set while none was free.
        """


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
