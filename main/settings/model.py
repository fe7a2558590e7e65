"""What a configuration says, typed and frozen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from main.service.model import LiveRules, Platform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from main.service.model import Source
    from main.util.secret import Secret


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
    """Where tasks are kept."""

    url: str = field(default="sqlite:///tasks.db", repr=False)  # may hold a password


@dataclass(frozen=True, slots=True)
class Cache:
    """The shared cache tier: where its server is, or its folder, inside the data folder unless it is absolute."""

    kind: str = "memory"
    url: Secret | None = None  # may hold a password
    path: str = "cache"


@dataclass(frozen=True, slots=True)
class Auth:
    """What a caller without a login may do."""

    anonymous: str = "none"


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


@dataclass(frozen=True, slots=True)
class Search:
    """How many answered pages each process remembers; 0 remembers none."""

    cached_pages: int = 256


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings came from: the environment, the file's text, and the mark of the last reload asked for before it was read."""

    environ: Mapping[str, str]
    text: str
    mark: str

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
    live: LiveRules = field(default_factory=LiveRules)
    platform: Platform = field(default_factory=Platform)
    sources: tuple[Source, ...] = field(default=())
    origin: Origin | None = field(default=None, compare=False, repr=False)  # the environment holds secrets
