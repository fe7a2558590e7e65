"""Turns settings into live objects: the only file that sees every concrete class."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

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
from main.service.model import Source
from main.service.registry import SourceRegistry
from main.service.reload import Follower
from main.service.search import SearchService
from main.service.sources import SourceService
from main.service.status import Identity, StatusService
from main.service.sync import SyncService
from main.service.trial import TrialService
from main.service.watch import Watcher
from main.settings import ConfigFile
from main.util.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Collection

    from main.service.ports import CatalogueReader, CatalogueWriter, Connector
    from main.settings import Settings


@dataclass(frozen=True, slots=True)
class ReadingServices:
    """What the API needs."""

    search: SearchService
    sources: SourceService
    status: StatusService
    greeting: GreetingService
    lifecycle: Lifecycle
    registry: SourceRegistry
    follower: Follower


@dataclass(frozen=True, slots=True)
class SyncServices:
    """What the sync process needs."""

    sync: SyncService
    watcher: Watcher
    lifecycle: Lifecycle


def build_services(settings: Settings, *, reader: CatalogueReader | None = None, clock: Clock | None = None) -> ReadingServices:
    """Build what the API needs; nothing is opened before ``lifecycle.open()``. Keywords replace parts."""
    clock = clock or SystemClock()
    reader = reader or SqliteReader(sqlite_path(settings.store.url, settings.data))
    lifecycle = Lifecycle([Component("catalogue", "sqlite", reader)])
    registry = SourceRegistry(settings.sources)
    sources = SourceService(reader, registry, clock)
    identity = Identity(settings.service.id, settings.service.name, settings.service.description, __version__)
    return ReadingServices(
        search=SearchService(reader, registry, clock, cached_pages=settings.search.cached_pages),
        sources=sources,
        status=StatusService(identity, settings.platform, lifecycle, sources, clock),
        greeting=GreetingService(settings.greeting.default_name),
        lifecycle=lifecycle,
        registry=registry,
        follower=Follower(registry, ConfigFile(settings, "api", keeps=True), clock),
    )


def build_sync(
    settings: Settings,
    *,
    writer: CatalogueWriter | None = None,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
    only: Collection[str] = (),
) -> SyncServices:
    """Build what the sync process needs; nothing is opened before ``lifecycle.open()``. Keywords replace parts.

    ``only`` names the sources to watch, where it is not all of them.
    """
    clock = clock or SystemClock()
    store: CatalogueWriter = writer or SqliteWriter(sqlite_path(settings.store.url, settings.data))
    sync = SyncService(
        store, partial(connect, clock=clock, watchdog=Watchdog()), dump_product, clock, stop or threading.Event()
    )
    lifecycle = Lifecycle([Component("catalogue", "sqlite", store)])
    registry = SourceRegistry(settings.sources)
    follower = Follower(registry, ConfigFile(settings, "watcher"), clock)
    return SyncServices(sync, Watcher(sync, registry, follower, only=only), lifecycle)


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
