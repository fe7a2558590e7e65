"""Where products come from: sources, what is known of them, and how they stand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from main.service.model.guard import Switch
from main.service.model.mapped import FieldMap

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from main.service.model.guard import GuardView
    from main.service.model.mapped import ItemCall, Listing
    from main.service.model.shape import Drift
    from main.service.model.sync import Outcome, SyncState
    from main.util.secret import Secret


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Where a source's access tokens come from, by OAuth2's client credentials grant (RFC 6749, 4.4)."""

    token_url: str
    client_id: Secret
    client_secret: Secret
    scope: str | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a source wants to be asked: at most one of header, bearer, basic, query or oauth2 is set."""

    basic: tuple[Secret, Secret] | None = None
    bearer: Secret | None = None
    header: tuple[str, Secret] | None = None
    query: tuple[tuple[str, Secret], ...] = ()
    oauth2: OAuth2 | None = None

    def digest(self) -> str:
        """Give what tells these credentials from others without telling them."""
        tokens = self.oauth2
        secrets = (
            *(self.basic or ()),
            *((self.bearer,) if self.bearer else ()),
            *((self.header[1],) if self.header else ()),
            *(secret for _, secret in self.query),
            *((tokens.client_id, tokens.client_secret) if tokens else ()),
        )
        told = (repr(self), [secret.reveal() for secret in secrets])
        return hashlib.blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``calls`` calls in ``period``."""

    calls: int
    period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured upstream shop or feed."""

    name: str
    kind: str
    url: str
    currency: str | None = None
    every: timedelta = timedelta(minutes=5)
    stale_after: timedelta | None = None
    timeout: timedelta = timedelta(seconds=10)
    concurrency: int = 4
    rate: Rate | None = None
    max_body: int = 8 * 1024 * 1024
    proxy: str | None = None
    credentials: Credentials = Credentials()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold a key
    max_products: int = 250_000
    required: bool = False
    priced: bool = True
    enabled: bool = True
    categories: Mapping[str, str] = field(default_factory=dict)
    api: str | None = None
    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    listing: Listing | None = None
    item: ItemCall | None = None
    mapping: FieldMap = field(default_factory=FieldMap)

    @property
    def fresh_for(self) -> timedelta:
        """How old a snapshot may grow before it counts as stale: ``stale_after``, or three rounds of ``every``."""
        return self.stale_after or 3 * self.every


@dataclass(frozen=True, slots=True)
class LastSync:
    """Names the newest sync of a source, one that is only asked for included, and where it is."""

    source: str
    id: int
    state: SyncState


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """What the store knows of a source: its last good snapshot, its last attempt and how its records changed last."""

    name: str
    products: int = 0
    rejected: int = 0
    synced_at: dt.datetime | None = None
    attempted_at: dt.datetime | None = None
    outcome: Outcome | None = None
    error_type: str | None = None
    error: str | None = None
    failed_at: dt.datetime | None = None
    failures: int = 0
    duration_ms: int | None = None
    next_sync_at: dt.datetime | None = None
    lease_until: dt.datetime | None = None
    last_sync: LastSync | None = None
    drift: Drift | None = None


class State(StrEnum):
    """How a source stands right now."""

    FRESH = "fresh"
    STALE = "stale"
    SYNCING = "syncing"
    ERROR = "error"
    OPEN = "open"
    RATE_LIMITED = "rate_limited"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source, what is known of it, and the state that follows from both at one moment; its guard where that was asked for."""

    source: Source
    record: SourceRecord
    state: State
    current: bool
    age_s: int | None
    guard: GuardView | None = None

    @property
    def switch(self) -> Switch | None:
        """Give how people have switched it; None where its guard was not asked for."""
        return None if self.guard is None else Switch(self.guard.mode, self.source.enabled)


@dataclass(frozen=True, slots=True)
class Head:
    """The catalogue at one moment: its version and every source's record, read together."""

    version: int
    records: Mapping[str, SourceRecord]


@dataclass(frozen=True, slots=True)
class Platform:
    """What the hosting platform set in the environment; None where it set nothing."""

    base_url: str | None = None
    mqtt_url: str | None = None
    tenant: str | None = None
    user: str | None = None
    password: Secret | None = None
    isolation: str | None = None
