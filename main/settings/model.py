"""What a configuration says, typed and frozen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from main.service.model import HashRules, LiveRules, Platform, Rate, TaskRules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from main.service.model import Provider, Source
    from main.util.secret import Secret


DEFAULT_CONFIG = "config.yml"


@dataclass(frozen=True, slots=True)
class Service:
    """How this installation calls itself."""

    name: str = "aisle"
    description: str = "One product API over all our shops"
    id: str = "aisle"


@dataclass(frozen=True, slots=True)
class Greeting:
    """Whom the greeting greets when nobody is named."""

    default_name: str = "World"


@dataclass(frozen=True, slots=True)
class Store:
    """Where the catalogue is kept: an SQLAlchemy URL; a relative SQLite path is inside the data folder."""

    url: str = "sqlite:///aisle.db"


@dataclass(frozen=True, slots=True)
class Tasks:
    """Where tasks are kept, and which of them write themselves."""

    url: str = field(default="sqlite:///tasks.db", repr=False)  # may hold a password
    rules: TaskRules = field(default_factory=TaskRules)


@dataclass(frozen=True, slots=True)
class Cache:
    """The shared cache tier: where its server is, or its folder, inside the data folder unless it is absolute."""

    kind: str = "memory"
    url: Secret | None = None  # may hold a password
    path: str = "cache"


@dataclass(frozen=True, slots=True)
class Signing:
    """What tokens are signed with."""

    algorithm: str = "HS256"


@dataclass(frozen=True, slots=True)
class Hide:
    """Fields of products that a role may not see; what an editor may not see, a reader may not either."""

    reader: tuple[str, ...] = ()
    editor: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may come in and see what: passwords, tokens, fields that a role may not see, pages that may read answers."""

    anonymous: str = "none"
    argon2: HashRules = field(default_factory=HashRules)
    password_min: int = 15
    hash_slots: int = 1
    issuer: str | None = None
    audience: str | None = None
    access_minutes: int = 15
    session_hours: int = 12
    refresh_days: int = 30
    signing: Signing = Signing()
    secret: Secret | None = None
    providers: tuple[Provider, ...] = ()
    hide: Hide = Hide()
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Currency:
    """The currency to compare in."""

    base: str = "EUR"


@dataclass(frozen=True, slots=True)
class Logger:
    """How and how much to log."""

    kind: str = "auto"
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Server:
    """How many proxies stand in front, whose ``X-Forwarded-*`` are believed; 0 believes nobody."""

    proxies: int = 0


_API_RATE = Rate(600, timedelta(minutes=1))
_LOGIN_RATE = Rate(30, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a caller may ask, and how often an address may try to log in; None sets no limit."""

    api: Rate | None = _API_RATE
    login_address: Rate | None = _LOGIN_RATE


@dataclass(frozen=True, slots=True)
class Search:
    """How many answered pages each process remembers; 0 remembers none."""

    cached_pages: int = 256


@dataclass(frozen=True, slots=True)
class Console:
    """The web pages: hosts, with their ports, whose images are loaded although it is not over https."""

    image_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings came from: the environment, the file's text, and the mark of the last reload asked for before it was read.

    ``silent`` is whether ``sources`` stands in neither of them, not even as an empty list.
    """

    environ: Mapping[str, str]
    text: str
    mark: str
    silent: bool = False

    @property
    def file(self) -> str:
        """The file that ``AISLE_CONFIG`` names, or the usual one."""
        return self.environ.get("AISLE_CONFIG") or DEFAULT_CONFIG

    @property
    def digest(self) -> str:
        """What tells this text from every other."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it."""

    data: Path
    service: Service = Service()
    greeting: Greeting = Greeting()
    store: Store = Store()
    tasks: Tasks = Tasks()
    cache: Cache = Cache()
    auth: Auth = Auth()
    currency: Currency = Currency()
    logger: Logger = Logger()
    search: Search = Search()
    server: Server = Server()
    limits: Limits = field(default_factory=Limits)
    console: Console = Console()
    live: LiveRules = field(default_factory=LiveRules)
    platform: Platform = field(default_factory=Platform)
    sources: tuple[Source, ...] = field(default=())
    origin: Origin | None = field(default=None, compare=False, repr=False)  # the environment holds secrets
