"""Turns settings into live objects: the only file that sees every concrete class."""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypedDict, Unpack
from urllib.parse import urlsplit

from main import __version__
from main.bootstrap_tasks import make_board, make_ruler
from main.controller.documents import dump_figures, dump_product
from main.resources.accounts.firstpassword import FILE as FIRST_PASSWORD
from main.resources.accounts.firstpassword import FirstPasswordNotice
from main.resources.accounts.hashing import PATIENCE, ArgonHasher
from main.resources.accounts.store import SqliteAccounts
from main.resources.accounts.turns import MachineTurns
from main.resources.cache.file import FileCache
from main.resources.cache.memcached import MemcachedCache
from main.resources.cache.memory import MemoryCache
from main.resources.cache.redis import RedisCache
from main.resources.cache.tiered import Tiered
from main.resources.catalogue.reader import SqliteReader
from main.resources.catalogue.writer import SqliteWriter
from main.resources.database.engine import sqlite_path
from main.resources.guards.files import FileGuardBook
from main.resources.limits.counters import StorageCounters
from main.resources.limits.storages import make_storages
from main.resources.replies.sqlite import SqliteReplies
from main.resources.tokens.codec import JwtCodec
from main.resources.tokens.folder import KeyFolder
from main.resources.tokens.installation import installation_secret
from main.resources.tokens.keyring import GivenKey, KeyRing
from main.resources.tokens.outside import OutsideTokens
from main.resources.upstream.canned import CannedSession
from main.resources.upstream.document import fetch_document
from main.resources.upstream.draft import draft_source
from main.resources.upstream.guard import Guard
from main.resources.upstream.kinds import connect
from main.resources.upstream.session import Answer, UpstreamSession
from main.resources.upstream.watchdog import Watchdog
from main.service.accounts import AccountService
from main.service.check import CheckService
from main.service.doors import DoorService, DoorTools
from main.service.errors import UpstreamRefused
from main.service.fanout import Lanes
from main.service.greeting import GreetingService
from main.service.leases import Leases
from main.service.lifecycle import Component, Lifecycle
from main.service.limits import RateLimit
from main.service.live import LiveService
from main.service.loginlimits import LoginLimits
from main.service.looks import LookTools
from main.service.machines import MachineKeys
from main.service.model import Policy, Source, TokenTerms
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
    from collections.abc import Callable, Collection, Iterator

    from main.service.doors import Passwords
    from main.service.model import Rate
    from main.service.ports import CatalogueReader, CatalogueWriter, Connector, GuardBook, SyncBoard
    from main.service.ports.doors import AccountStore, Door, HitCounters, Replies
    from main.service.ports.tasks import TaskStore
    from main.settings import Settings

MEMCACHED_PORT = 11211
PROOFS = "csrf.key"  # in the data folder: what proofs for pages are signed by, on every worker and over restarts
GUARDS = "guards"  # the folder, in the data folder, in which all processes of the machine keep what they know of each source
KEYS = "keys"  # the folder of the keys that sign tokens
PROVIDERS = "providers"  # the folder of the last-good copies of identity providers' keys
ANSWERS = "answers"  # the folder in which whole answers are kept for the shop to confirm at the next crawl
HASHING = "hashing"  # the folder in which the machine's processes take turns to hash passwords
LIMITS = "limits"  # the folder in which the machine's workers count for the limits
# Seconds a start and a terminal wait for their turn to hash a password: neither has anybody to come back later.
_PATIENT = 60.0
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


@dataclass(frozen=True, slots=True)
class AccountServices:
    """What manages accounts from a terminal, and makes the first one."""

    accounts: AccountService
    lifecycle: Lifecycle

    def ensure_first_admin(self) -> None:
        """Make the first admin where there is no account yet, and show the password once.

        Raises:
            AisleError: the store cannot be used.
        """
        try:
            self.lifecycle.open()
            self.accounts.ensure_first_admin()
        finally:
            self.lifecycle.close()


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
    door = given.get("door") or make_door(settings, accounts, _make_account_service(settings, accounts, clock), clock)
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
        limit=RateLimit(counters, _policy("api", settings.limits.api)),
        logins=LoginLimits(counters, RateLimit(counters, _policy("login", settings.limits.login_address))),
        replies=SqliteReplies(path),
        clock=clock,
        tasks=TaskService(tasks.resource, clock),
    )


def make_counters(settings: Settings) -> StorageCounters:
    """Make what counts for the limits, over all workers; nothing is connected before it is used."""
    chosen = settings.cache
    url = chosen.url.reveal() if chosen.url else None
    return StorageCounters(*make_storages(settings.data / LIMITS, url))


def _policy(name: str, rate: Rate | None) -> Policy | None:
    return None if rate is None else Policy(name, rate)


def _make_live(settings: Settings, registry: SourceRegistry, cache: Tiered, guards: GuardBook, clock: Clock) -> LiveService:
    watchdog = Watchdog()

    def dial(source: Source) -> Connector:
        return connect(source, clock, watchdog, guard=Guard(source, guards, clock), kept=cache)

    return LiveService(registry, dial, LookTools(cache, Leases(cache), guards, Lanes(), clock, settings.live, dump_figures))


def make_door(
    settings: Settings,
    accounts: AccountStore,
    passwords: Passwords,
    clock: Clock | None = None,
    watchdog: Watchdog | None = None,
) -> DoorService:
    """Make what lets callers in; nothing is opened before its ``open()``, and the account store is opened by whoever gave it."""
    clock = clock or SystemClock()
    terms = make_terms(settings)
    fetch = partial(fetch_document, watchdog=watchdog or Watchdog())
    tools = DoorTools(
        passwords=passwords,
        accounts=accounts,
        machines=MachineKeys(accounts, clock),
        codec=JwtCodec(make_keys(settings, clock), terms, clock),
        outsiders=OutsideTokens(settings.auth.providers, settings.data / PROVIDERS, fetch, clock),
    )
    return DoorService(tools, terms, clock)


def make_keys(settings: Settings, clock: Clock | None = None) -> KeyRing | GivenKey:
    """Make the keys that sign tokens: those in the data folder, or the one of the settings."""
    if settings.auth.secret is not None:
        return GivenKey(settings.auth.secret)
    folder, algorithm = KeyFolder(settings.data / KEYS), settings.auth.signing.algorithm
    return KeyRing(folder, algorithm, make_terms(settings).access, clock or SystemClock())


@contextmanager
def build_machines(settings: Settings, clock: Clock | None = None) -> Iterator[MachineKeys]:
    """Give what hands out and ends machines' keys, its store open inside.

    Raises:
        StoreDown: the store cannot be used.
    """
    clock = clock or SystemClock()
    store = SqliteAccounts(sqlite_path(settings.store.url, settings.data), clock)
    store.open()
    try:
        yield MachineKeys(store, clock)
    finally:
        store.close()


def make_terms(settings: Settings) -> TokenTerms:
    """Give who issues tokens, for whom, and for how long."""
    auth = settings.auth
    return TokenTerms(
        issuer=auth.issuer or settings.service.id,
        audience=auth.audience or settings.service.id,
        access=dt.timedelta(minutes=auth.access_minutes),
        session=dt.timedelta(hours=auth.session_hours),
        refresh=dt.timedelta(days=auth.refresh_days),
    )


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
    watchdog, book = Watchdog(), book or FileGuardBook(settings.data / GUARDS)
    kept = FileCache(settings.data / ANSWERS)

    def dial(source: Source) -> Connector:
        return connect(source, clock, watchdog, guard=Guard(source, book, clock), kept=kept)

    # A catalogue that was given in place of the real one is nothing the rules could look into.
    ruler, needed = (None, []) if writer else make_ruler(settings, clock)
    sync = SyncService(store, dial, dump_product, clock, stop or threading.Event(), after=ruler)
    kept_answers = Component("answers", "file", kept, essential=False)
    lifecycle = Lifecycle([Component("catalogue", "sqlite", store), kept_answers, *needed])
    registry = SourceRegistry(settings.sources)
    follower = Follower(registry, ConfigFile(settings, "watcher"), clock)
    return SyncServices(sync, Watcher(sync, registry, book, follower, only=only), book, lifecycle)


def make_account_store(settings: Settings, clock: Clock | None = None) -> SqliteAccounts:
    """Make the account store that the settings ask for; nothing is opened before ``open()``."""
    return SqliteAccounts(sqlite_path(settings.store.url, settings.data), clock)


def build_accounts(settings: Settings, *, store: AccountStore | None = None, clock: Clock | None = None) -> AccountServices:
    """Build what manages accounts; nothing is opened before ``lifecycle.open()``. Keywords replace parts."""
    clock = clock or SystemClock()
    store = store or make_account_store(settings, clock)
    accounts = _make_account_service(settings, store, clock, patience=_PATIENT)
    return AccountServices(accounts, Lifecycle([Component("accounts", "sqlite", store)]))


def _make_account_service(
    settings: Settings, store: AccountStore, clock: Clock, *, patience: float = PATIENCE
) -> AccountService:
    auth = settings.auth
    turns = MachineTurns(settings.data / HASHING, auth.hash_slots)
    hasher = ArgonHasher(auth.argon2, auth.hash_slots, turns, patience=patience)
    first = FirstPasswordNotice(settings.data / FIRST_PASSWORD)
    return AccountService(store, hasher, first, clock, password_min=auth.password_min)


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
    except UpstreamRefused as error:
        if error.status not in {401, 403}:
            raise
        raise UpstreamRefused(
            f"{error} A draft calls without credentials: save an answer and give its file.", error.status
        ) from error
    finally:
        session.close()
