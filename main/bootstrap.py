"""Turns settings into live objects: with the ``bootstrap_*`` files beside it, the only one that sees every concrete class."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypedDict, Unpack
from urllib.parse import urlsplit

from main import __version__
from main.bootstrap_doors import make_account_store, make_accounts, make_counters, make_door, make_policy
from main.bootstrap_tasks import make_board, make_ruler
from main.controller.documents import dump_figures, dump_product
from main.resources.cache.file import FileCache
from main.resources.cache.memcached import MemcachedCache
from main.resources.cache.memory import MemoryCache
from main.resources.cache.tiered import Tiered
from main.resources.catalogue.reader import SqliteReader
from main.resources.catalogue.writer import SqliteWriter
from main.resources.database.engine import sqlite_path
from main.resources.guards.files import FileGuardBook
from main.resources.replies.sqlite import SqliteReplies
from main.resources.tokens.installation import installation_secret
from main.resources.upstream.canned import CannedSession
from main.resources.upstream.draft import draft_source
from main.resources.upstream.draftcall import draft_shop
from main.resources.upstream.guard import Guard
from main.resources.upstream.kept import KeptAnswers
from main.resources.upstream.kinds import connect
from main.resources.upstream.session import Answer
from main.resources.upstream.watchdog import Watchdog
from main.service.check import CheckService
from main.service.doors import DoorService
from main.service.fanout import Lanes
from main.service.greeting import GreetingService
from main.service.leases import Leases
from main.service.lifecycle import Component, Lifecycle
from main.service.limits import RateLimit
from main.service.live import LiveService
from main.service.loginlimits import LoginLimits
from main.service.looks import LookTools
from main.service.registry import SourceRegistry
from main.service.reload import Follower
from main.service.search import SearchService
from main.service.sources import SourceService
from main.service.status import Identity, StatusService
from main.service.switch import is_enabled
from main.service.sync import SyncService
from main.service.syncs import SyncsService, SyncStores
from main.service.tasks import TaskService
from main.service.trial import TrialService
from main.service.watch import Watcher
from main.settings import ConfigFile
from main.util.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from main.service.model import Source
    from main.service.ports import CatalogueReader, CatalogueWriter, SyncBoard
    from main.service.ports.caches import Cache
    from main.service.ports.doors import Door, HitCounters, Replies
    from main.service.ports.guards import GuardBook
    from main.service.ports.tasks import TaskStore
    from main.service.ports.upstream import Connector
    from main.settings import Settings

MEMCACHED_PORT = 11211
PROOFS = "csrf.key"  # in the data folder: what proofs for pages are signed by, on every worker and over restarts
GUARDS = "guards"  # the folder, in the data folder, in which all processes of the machine keep what they know of each source
ANSWERS = "answers"  # the folder in which whole answers are kept for the shop to confirm at the next crawl
_NEAR_ANSWERS = 8 * 1024 * 1024  # bytes of a worker for whole answers that the shop may confirm at the next live look
_BOARD_PATIENCE = 2.0  # seconds a caller waits for another process that is writing, before it is told to come back


@dataclass(frozen=True, slots=True)
class ReadingServices:
    """What the API needs."""

    search: SearchService
    sources: SourceService
    syncs: SyncsService
    status: StatusService
    greeting: GreetingService
    lifecycle: Lifecycle
    cache: Tiered
    registry: SourceRegistry
    follower: Follower
    live: LiveService
    door: Door
    csrf_secret: Callable[[], bytes]  # made where there is none, so not to be asked before the data folder is there
    limit: RateLimit
    logins: LoginLimits
    replies: Replies
    clock: Clock
    tasks: TaskService


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


class Parts(TypedDict, total=False):
    """Parts of the API that can be replaced, by the keyword of each."""

    reader: CatalogueReader
    board: SyncBoard
    book: GuardBook
    clock: Clock
    live: LiveService
    door: Door
    counters: HitCounters
    tasks: TaskStore


def build_services(settings: Settings, **given: Unpack[Parts]) -> ReadingServices:
    """Build what the API needs; nothing is opened before ``lifecycle.open()``. Keywords replace parts."""
    clock = given.get("clock") or SystemClock()
    path = sqlite_path(settings.store.url, settings.data)
    reader = given.get("reader") or SqliteReader(path)
    # No component: it holds nothing between two requests, and the reader brings the schema up to date.
    board = given.get("board") or SqliteWriter(path, patience=_BOARD_PATIENCE)
    cache, book = make_cache(settings), given.get("book") or FileGuardBook(settings.data / GUARDS)
    registry = SourceRegistry(settings.sources)
    live = given.get("live") or _make_live(settings, registry, cache, book, clock)
    accounts = make_account_store(settings, clock)
    door = given.get("door") or make_door(settings, accounts, make_accounts(settings, accounts, clock), clock)
    counters = given.get("counters") or make_counters(settings)
    tasks = make_board(settings, given.get("tasks"))
    lifecycle = Lifecycle(
        [
            Component("catalogue", "sqlite", reader),
            Component("accounts", "sqlite", accounts),
            *([Component("door", "tokens", door)] if isinstance(door, DoorService) else ()),
            tasks,
            Component("cache", settings.cache.kind, cache, essential=False),
            Component("live", "threads", live, essential=False),
        ]
    )
    sources = SourceService(reader, registry, clock, book)
    identity = Identity(settings.service.id, settings.service.name, settings.service.description, __version__)
    return ReadingServices(
        search=SearchService(reader, registry, clock, book, cached_pages=settings.search.cached_pages),
        sources=sources,
        syncs=SyncsService(SyncStores(reader, board, book), registry, clock),
        status=StatusService(identity, settings.platform, lifecycle, sources, clock),
        greeting=GreetingService(settings.greeting.default_name),
        lifecycle=lifecycle,
        registry=registry,
        follower=Follower(registry, ConfigFile(settings, "api", keeps=True), clock),
        live=live,
        cache=cache,
        door=door,
        csrf_secret=partial(installation_secret, settings.data / PROOFS),
        limit=RateLimit(counters, make_policy("api", settings.limits.api)),
        logins=LoginLimits(counters, RateLimit(counters, make_policy("login", settings.limits.login_address))),
        replies=SqliteReplies(path),
        clock=clock,
        tasks=TaskService(tasks.resource, clock),
    )


def _make_live(settings: Settings, registry: SourceRegistry, cache: Tiered, guards: GuardBook, clock: Clock) -> LiveService:
    # Whoever looks would wait for a trip to the shared cache before the shop is asked, and for another one after it has answered.
    connect_guarded = _guard_connections(guards, MemoryCache(_NEAR_ANSWERS), clock)
    tools = LookTools(cache, Leases(cache), guards, Lanes(), clock, settings.live, dump_figures)
    return LiveService(registry, connect_guarded, tools)


def _guard_connections(guards: GuardBook, answers: Cache, clock: Clock) -> Callable[[Source], Connector]:
    """Give what connects to a source by its guard; one watchdog serves all, and ``answers`` has what shops may confirm."""
    watchdog = Watchdog()

    def connect_guarded(source: Source) -> Connector:
        kept = KeptAnswers(answers, source, guards, clock)
        return connect(source, clock, watchdog, guard=Guard(source, guards, clock), kept=kept)

    return connect_guarded


def make_cache(settings: Settings) -> Tiered:
    """Make the cache that the settings ask for, memory in front; nothing is opened or connected before it is used."""
    near, chosen = MemoryCache(), settings.cache
    url = chosen.url.reveal() if chosen.url else ""
    if chosen.kind == "file":
        return Tiered(near, FileCache(settings.data / chosen.path))
    if chosen.kind == "memcached":
        server = urlsplit(url)
        return Tiered(near, MemcachedCache((str(server.hostname), server.port or MEMCACHED_PORT)))
    if chosen.kind == "redis":
        # Imported here because redis-py weighs 6 MB in every worker, with or without a server.
        from main.resources.cache.redis import RedisCache  # noqa: PLC0415

        return Tiered(near, RedisCache(url))
    return Tiered(near)


def build_sync(
    settings: Settings,
    *,
    writer: CatalogueWriter | None = None,
    book: GuardBook | None = None,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
    only: Collection[str] = (),
) -> SyncServices:
    """Build what the sync process needs; nothing is opened before ``lifecycle.open()``. Keywords replace parts.

    ``only`` names the sources to watch, where it is not all of them.
    """
    clock = clock or SystemClock()
    store: CatalogueWriter = writer or SqliteWriter(sqlite_path(settings.store.url, settings.data))
    book, answers = book or FileGuardBook(settings.data / GUARDS), FileCache(settings.data / ANSWERS)
    connect_guarded = _guard_connections(book, answers, clock)
    # A catalogue that was given in place of the real one is nothing the rules could look into.
    ruler, needed = (None, []) if writer else make_ruler(settings, clock)
    sync = SyncService(store, connect_guarded, dump_product, clock, stop or threading.Event(), after=ruler)
    kept = Component("answers", "file", answers, essential=False)
    lifecycle = Lifecycle([Component("catalogue", "sqlite", store), kept, *needed])
    registry = SourceRegistry(settings.sources)
    follower = Follower(registry, ConfigFile(settings, "watcher"), clock)
    return SyncServices(sync, Watcher(sync, registry, book, follower, only=only), book, lifecycle)


def build_check(*, clock: Clock | None = None) -> CheckService:
    """Build what tries sources; stores nothing."""
    return CheckService(partial(connect, clock=clock or SystemClock(), watchdog=Watchdog()), dump_product)


def build_trial(payload: bytes | None = None, *, clock: Clock | None = None) -> TrialService:
    """Build what shows how records are mapped: those of the shop, or those of a payload that is given instead."""
    clock = clock or SystemClock()
    if payload is None:
        return TrialService(partial(connect, clock=clock, watchdog=Watchdog()), dump_product)
    return TrialService(lambda source: connect(source, clock, session=CannedSession(source.url, payload)), dump_product)


def draft(where: str, payload: bytes | None = None) -> str:
    """Give a first mapping of what is at a URL, or of a payload that was read from a file.

    Raises:
        AisleError: nothing can be had there, or it is no list in JSON.
    """
    return draft_shop(where, Watchdog()) if payload is None else draft_source(Answer(where, {}, payload))
