"""Turns settings into live objects: the only file that sees every concrete class."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from main import __version__
from main.controller.documents import dump_product
from main.resources.catalogue.engine import sqlite_path
from main.resources.catalogue.reader import SqliteReader
from main.resources.catalogue.writer import SqliteWriter
from main.resources.upstream.canned import CannedSession
from main.resources.upstream.draft import draft_source
from main.resources.upstream.kinds import connect
from main.resources.upstream.session import Answer, UpstreamSession
from main.resources.upstream.watchdog import Watchdog
from main.service.check import CheckService
from main.service.greeting import GreetingService
from main.service.lifecycle import Component, Lifecycle
from main.service.model import GuardState, Source
from main.service.search import SearchService
from main.service.sources import SourceService
from main.service.status import Identity, StatusService
from main.service.switch import is_enabled
from main.service.sync import SyncService
from main.service.syncs import SyncsService, SyncStores
from main.service.trial import TrialService
from main.service.watch import Watcher
from main.util.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from main.service.ports import CatalogueReader, CatalogueWriter, Connector, GuardBook, SyncBoard
    from main.settings import Settings

T = TypeVar("T")
_BOARD_PATIENCE = 2.0  # seconds a caller waits for another process that is writing, before it is told to come back


class _ProcessBook:
    """Guards' states of this process only."""

    def __init__(self) -> None:
        self._states: dict[str, GuardState] = {}
        self._lock = threading.RLock()

    def read(self, source: str) -> GuardState:
        with self._lock:
            return self._states.get(source, GuardState())

    def change(self, source: str, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        with self._lock:
            self._states[source], answer = step(self.read(source))
            return answer

    @contextmanager
    def slot(self, source: str, limit: int, deadline: float) -> Iterator[None]:  # noqa: ARG002 - nothing is counted here
        yield


def _open_book(settings: Settings) -> GuardBook:  # noqa: ARG001 - for the book that takes its place
    return _ProcessBook()  # THE FILE BOOK GOES HERE, in the place of _ProcessBook: one for all processes of the machine


@dataclass(frozen=True, slots=True)
class ReadingServices:
    """What the API needs."""

    search: SearchService
    sources: SourceService
    syncs: SyncsService
    status: StatusService
    greeting: GreetingService
    lifecycle: Lifecycle


@dataclass(frozen=True, slots=True)
class SyncServices:
    """What the sync process needs."""

    sync: SyncService
    watcher: Watcher
    book: GuardBook
    lifecycle: Lifecycle

    def is_enabled(self, source: Source) -> bool:
        """Tell whether a source takes part, as a person switched it or as the settings say."""
        return is_enabled(source, self.book.read(source.name))


def build_services(
    settings: Settings,
    *,
    reader: CatalogueReader | None = None,
    board: SyncBoard | None = None,
    book: GuardBook | None = None,
    clock: Clock | None = None,
) -> ReadingServices:
    """Build what the API needs; nothing is opened before ``lifecycle.open()``. Keywords replace parts."""
    clock = clock or SystemClock()
    path = sqlite_path(settings.store.url, settings.data)
    reader = reader or SqliteReader(path)
    # No component: it holds nothing between two requests, and the reader brings the schema up to date.
    board = board or SqliteWriter(path, patience=_BOARD_PATIENCE)
    book = book or _open_book(settings)
    lifecycle = Lifecycle([Component("catalogue", "sqlite", reader)])
    sources = SourceService(reader, settings.sources, clock, book)
    identity = Identity(settings.service.id, settings.service.name, settings.service.description, __version__)
    return ReadingServices(
        search=SearchService(reader, settings.sources, clock, cached_pages=settings.search.cached_pages),
        sources=sources,
        syncs=SyncsService(SyncStores(reader, board, book), settings.sources, clock),
        status=StatusService(identity, settings.platform, lifecycle, sources, clock),
        greeting=GreetingService(settings.greeting.default_name),
        lifecycle=lifecycle,
    )


def build_sync(
    settings: Settings,
    *,
    writer: CatalogueWriter | None = None,
    book: GuardBook | None = None,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
    watched: Sequence[Source] | None = None,
) -> SyncServices:
    """Build what the sync process needs; nothing is opened before ``lifecycle.open()``. Keywords replace parts.

    ``watched`` are the sources to watch, where it is not all of them.
    """
    clock = clock or SystemClock()
    store: CatalogueWriter = writer or SqliteWriter(sqlite_path(settings.store.url, settings.data))
    sync = SyncService(
        store, partial(connect, clock=clock, watchdog=Watchdog()), dump_product, clock, stop or threading.Event()
    )
    book = book or _open_book(settings)
    lifecycle = Lifecycle([Component("catalogue", "sqlite", store)])
    return SyncServices(sync, Watcher(sync, settings.sources if watched is None else watched, book), book, lifecycle)


def build_check(*, clock: Clock | None = None) -> CheckService:
    """Build what tries sources; stores nothing."""
    return CheckService(partial(connect, clock=clock or SystemClock(), watchdog=Watchdog()), dump_product)


def build_trial(payload: bytes | None = None, *, clock: Clock | None = None) -> TrialService:
    """Build what shows how records are mapped: those of the shop, or those of a payload that is given instead."""
    clock, watchdog = clock or SystemClock(), Watchdog()

    def dial(source: Source) -> Connector:
        return connect(source, clock, watchdog, None if payload is None else CannedSession(source.url, payload))

    return TrialService(dial, dump_product)


def draft(where: str, payload: bytes | None = None) -> str:
    """Give a first mapping of what is at a URL, or of a payload that was read from a file.

    Raises:
        AisleError: nothing can be had there, or it is no list in JSON.
    """
    if payload is not None:
        return draft_source(Answer(where, {}, payload))
    session = UpstreamSession(Source(name="draft", kind="mapped", url=where), Watchdog())
    try:
        return draft_source(session.get())
    finally:
        session.close()
