"""Fakes of the ports: plain objects that keep the contract; the catalogue is itself run through the contract suite."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from main.controller.documents import dump_product
from main.service.errors import (
    LeaseLost,
    NameTaken,
    RecordRejected,
    StoreDown,
    Unauthenticated,
    Unavailable,
    UpstreamTimeout,
)
from main.service.model import (
    TOMBSTONES_KEPT,
    Account,
    ApiKey,
    Caller,
    CallerKind,
    Count,
    Fault,
    GuardState,
    Head,
    Hits,
    LastSync,
    Money,
    Outcome,
    Product,
    Query,
    Rejected,
    Role,
    Shape,
    Source,
    SourceRecord,
    SyncRecord,
    SyncReport,
    SyncState,
    Task,
    TaskKind,
    TaskQuery,
    TaskStatus,
    TokenPair,
    Tombstone,
    Wanted,
)
from main.service.ports import CrawlPage
from main.service.ports.doors import Revocations
from main.util.text import fold
from test.contract.oracle import count_facet, matches, rank

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence

KEPT_SYNCS = 200
NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: dt.datetime = NOW) -> None:
        self.time = now
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)
        self.seconds += seconds


def make_source(name: str = "acme", **given: Any) -> Source:
    return Source(**{"name": name, "kind": "fake", "url": f"http://{name}.example", "currency": "EUR", **given})


def make_product(source_id: object = 1, source: str = "acme", *, price: int | Money | None = 1999, **given: Any) -> Product:
    money = Money(price, "EUR") if isinstance(price, int) else price
    known = {"name": f"Lamp {source_id}", "fetched_at": NOW}
    return Product(source=source, source_id=str(source_id), price=money, **{**known, **given})


def make_report(source: str = "acme", outcome: Outcome = Outcome.OK, **given: Any) -> SyncReport:
    times = {"started_at": NOW, "finished_at": NOW + dt.timedelta(milliseconds=250)}
    return SyncReport(**{"source": source, "outcome": outcome, **times, **given})


def raw_record(source_id: object, name: str | None = None, **more: Any) -> bytes:
    """A record as :class:`FakeConnector` maps it; ``fault`` makes it invalid, ``crash`` makes the mapping break."""
    return orjson.dumps({"id": str(source_id), "name": name or f"Lamp {source_id}", **more})


class FakeConnector:
    """A shop whose answers are written down: each call gives a page, raises, or runs a function that does."""

    def __init__(self, answers: Mapping[Hashable | None, Any], *, source: str = "acme", fingerprint: bytes = b"1") -> None:
        self.answers = answers
        self.asked: list[Hashable | None] = []
        self.closed = 0
        self.fingerprint = fingerprint
        self._source = source
        self._lock = threading.Lock()

    def fetch(self, call: Hashable | None) -> CrawlPage:
        with self._lock:
            self.asked.append(call)
        answer = self.answers[call]
        answer = answer() if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, CrawlPage) else CrawlPage(tuple(answer))

    look_size = 0

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        raise NotImplementedError

    def load(self, raw: bytes) -> Product:
        record = orjson.loads(raw)
        if "crash" in record:
            raise ZeroDivisionError(record["crash"])
        if "fault" in record:
            raise RecordRejected([Fault("price", record["fault"])], record["id"])
        return make_product(record["id"], self._source, name=record["name"], price=record.get("price", 1999))

    def close(self) -> None:
        self.closed += 1


class FakeResource:
    """A resource that writes down what is done to it, and refuses when told to."""

    def __init__(self, name: str, journal: list[str], *, fails: set[str] | None = None) -> None:
        self._name = name
        self._journal = journal
        self.fails = fails or set()

    def open(self) -> None:
        self._note("open")

    def ping(self) -> None:
        self._note("ping")

    def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        self._journal.append(f"{what} {self._name}")
        if what in self.fails:
            raise StoreDown


class FakeCache:
    """A near cache in a dict, its clock the one it is given; ``near`` is all that :meth:`peek` sees, ``down`` loses everything."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.kept: dict[str, tuple[bytes, float]] = {}
        self.locks: dict[str, tuple[str, float]] = {}
        self.near = True
        self.guard = threading.Lock()

    def peek(self, key: str) -> bytes | None:
        return self.get(key) if self.near else None

    def get(self, key: str) -> bytes | None:
        value, until = self.kept.get(key, (b"", -1.0))
        return value if until > self.clock.monotonic() else None

    def consult(self, key: str) -> bytes | None:
        return self.get(key)

    def set(self, key: str, value: bytes, seconds: float) -> None:
        self.kept[key] = (value, self.clock.monotonic() + seconds)

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        with self.guard:
            holder, until = self.locks.get(key, ("", -1.0))
            if holder != owner and until > self.clock.monotonic():
                return False
            self.locks[key] = (owner, self.clock.monotonic() + seconds)
            return True

    def unlock(self, key: str, owner: str) -> None:
        with self.guard:
            if self.locks.get(key, ("",))[0] == owner:
                del self.locks[key]


class FakeShop(FakeConnector):
    """A shop that can be looked at: ``stock`` is its records by id, ``trouble`` what it raises or does first."""

    def __init__(self, source: str = "acme", *, size: int = 1, **stock: Any) -> None:
        super().__init__({}, source=source)
        self.look_size = size
        self.stock: dict[str, bytes] = {
            key.lstrip("_"): raw_record(key.lstrip("_"), price=value) for key, value in stock.items()
        }
        self.looked: list[tuple[str, ...]] = []
        self.trouble: Any = None

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        with self._lock:
            self.looked.append(tuple(each.source_id for each in wanted))
        trouble = self.trouble(deadline) if callable(self.trouble) else self.trouble
        if isinstance(trouble, Exception):
            raise trouble
        return {each.source_id: self.stock[each.source_id] for each in wanted if each.source_id in self.stock}


_FIGURES = (
    "pages",
    "received",
    "total",
    "products",
    "rejected",
    "created",
    "updated",
    "deleted",
    "error_type",
    "error",
    "version",
)


@dataclass(frozen=True)
class _Row:
    key: int
    product: Product
    document: bytes
    digest: bytes


@dataclass
class MemoryCatalogue:
    """A catalogue reader and writer in memory; everything is found by looking at every product."""

    version: int = 0
    rows: dict[str, _Row] = field(default_factory=dict)
    tombstones: dict[str, Tombstone] = field(default_factory=dict)
    sources: dict[str, SourceRecord] = field(default_factory=dict)
    leases: dict[str, tuple[str, dt.datetime]] = field(default_factory=dict)
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)
    records: dict[int, SyncRecord] = field(default_factory=dict)
    numbers: int = 0
    shapes: dict[str, Shape] = field(default_factory=dict)
    beats: dict[str, dt.datetime] = field(default_factory=dict)
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    opened: int = 0
    keys: int = 0
    reads: int = 0

    def open(self) -> None:
        self._require()
        self.opened += 1

    def ping(self) -> None:
        self._require()

    def close(self) -> None:
        self.opened = 0

    # the reading side

    def head(self) -> Head:
        with self._held():
            return Head(self.version, {name: self._whole(record) for name, record in self.sources.items()})

    def find(self, query: Query) -> tuple[Head, Hits]:
        with self._held():
            self.reads += 1
            found = [row for row in self.rows.values() if matches(row.product, query)]
            found.sort(key=lambda row: rank(row.product, row.key, query))
            start = (query.page - 1) * query.per_page
            page = tuple(row.document for row in found[start : start + query.per_page])
            products = [row.product for row in found]
            return self.head(), Hits(page, len(found), {facet: count_facet(products, facet) for facet in query.facets})

    def get(self, product_id: str) -> bytes | None:
        with self._held():
            row = self.rows.get(product_id)
            return row.document if row else None

    def tombstone(self, product_id: str) -> Tombstone | None:
        with self._held():
            return self.tombstones.get(product_id)

    def quarantine(self, source: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        with self._held():
            rejected = sorted(self.rejected.get(source, []), key=lambda record: record.position)
            return rejected[(page - 1) * per_page : page * per_page], len(rejected)

    def rejected_of(self, source: str, record_id: str) -> Sequence[Rejected]:
        with self._held():
            found = [record for record in self.rejected.get(source, []) if record.record_id == record_id]
            return sorted(found, key=lambda record: record.position)[:20]

    def syncs(self, source: str, page: int, per_page: int) -> tuple[Sequence[SyncRecord], int]:
        with self._held():
            found = [record for _, record in sorted(self.records.items(), reverse=True) if record.source == source]
            return found[(page - 1) * per_page : page * per_page], len(found)

    def sync(self, source: str, number: int) -> SyncRecord | None:
        with self._held():
            found = self.records.get(number)
            return found if found and found.source == source else None

    def watched_at(self, source: str) -> dt.datetime | None:
        with self._held():
            return self.beats.get(source)

    # the writing side

    def request(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        with self._held():
            self.sources.setdefault(source, SourceRecord(name=source))
            waiting = self._one(source, SyncState.REQUESTED)
            if waiting is None:
                return self._add(SyncRecord(id=0, source=source, state=SyncState.REQUESTED, force=force, requested_at=now))
            self.records[waiting.id] = replace(waiting, force=waiting.force or force)
            return self.records[waiting.id]

    def begin(self, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
        with self._held():
            left = self._one(source, SyncState.RUNNING)
            if left is not None:
                why = "The process that ran it ended before the sync did."
                self.records[left.id] = replace(left, state=SyncState.STOPPED, finished_at=now, error=why)
            waiting = self._one(source, SyncState.REQUESTED)
            if waiting is None:
                return self._add(SyncRecord(id=0, source=source, state=SyncState.RUNNING, force=force, started_at=now))
            self.schedule(source, now)
            taken = replace(waiting, state=SyncState.RUNNING, force=waiting.force or force, started_at=now)
            self.records[taken.id] = taken
            return taken

    def progress(self, report: SyncReport) -> None:
        with self._held():
            self._write(report, SyncState.RUNNING, None)

    def abandon(self, report: SyncReport) -> None:
        with self._held():
            self._end(report, SyncState.HELD_BACK if report.outcome is Outcome.HELD_BACK else SyncState.STOPPED)

    def shape(self, source: str) -> Shape | None:
        with self._held():
            return self.shapes.get(source)

    def beat(self, sources: Iterable[str], now: dt.datetime) -> None:
        with self._held():
            self.beats.update(dict.fromkeys(sources, now))

    def acquire(self, source: str, owner: str, until: dt.datetime, now: dt.datetime) -> bool:
        with self._held():
            holder = self.leases.get(source)
            if holder is not None and holder[0] != owner and holder[1] > now:
                return False
            self.leases[source] = (owner, until)
            self.sources.setdefault(source, SourceRecord(name=source))
            return True

    def release(self, source: str, owner: str) -> None:
        with self._held():
            if self.leases.get(source, ("",))[0] == owner:
                del self.leases[source]

    @contextmanager
    def stage(self, source: str) -> Iterator[MemoryStaging]:
        self._require()
        yield MemoryStaging(self, source)

    def record(self, report: SyncReport) -> None:
        with self._held():
            known = self.sources.get(report.source, SourceRecord(name=report.source))
            self.sources[report.source] = replace(
                known,
                attempted_at=report.finished_at,
                failed_at=report.finished_at,
                outcome=report.outcome,
                error_type=report.error_type,
                error=report.error,
                failures=known.failures + 1,
                duration_ms=report.duration_ms,
            )
            self.close_sync(report)

    def close_sync(self, report: SyncReport) -> None:
        self._end(report, SyncState(report.outcome))
        if report.outcome is Outcome.OK and report.shape is not None and report.shape.records:
            self.shapes[report.source] = report.shape
        if report.drift is not None:
            known = self.sources.get(report.source, SourceRecord(name=report.source))
            self.sources[report.source] = replace(known, drift=report.drift)

    def schedule(self, source: str, at: dt.datetime) -> None:
        with self._held():
            self.sources[source] = replace(self.sources.get(source, SourceRecord(name=source)), next_sync_at=at)

    def due(self, source: str) -> dt.datetime | None:
        with self._held():
            waiting = self._one(source, SyncState.REQUESTED)
            if waiting is not None:
                return waiting.requested_at
            return self.sources[source].next_sync_at if source in self.sources else None

    def failures(self, source: str) -> int:
        with self._held():
            return self.sources[source].failures if source in self.sources else 0

    def retain(self, sources: Iterable[str], now: dt.datetime) -> int:
        with self._held():
            gone = set(self.sources) - set(sources)
            dropped = [key for key, row in self.rows.items() if row.product.source in gone]
            self.bury(dropped, now)
            for name in gone:
                for table in (self.sources, self.leases, self.rejected, self.held, self.shapes, self.beats):
                    table.pop(name, None)
            self.records = {number: record for number, record in self.records.items() if record.source not in gone}
            self.version += bool(dropped)
            return len(dropped)

    def bury(self, ids: Iterable[str], now: dt.datetime) -> None:
        self.tombstones = {key: left for key, left in self.tombstones.items() if left.deleted_at >= now - TOMBSTONES_KEPT}
        for key in ids:
            del self.rows[key]
            self.tombstones[key] = Tombstone(key, self.version + 1, now)

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self.lock:
            self._require()
            yield

    def _require(self) -> None:
        if self.down:
            raise StoreDown

    def _whole(self, record: SourceRecord) -> SourceRecord:
        lease_until = self.leases[record.name][1] if record.name in self.leases else None
        newest = max((sync for sync in self.records.values() if sync.source == record.name), key=lambda s: s.id, default=None)
        last = LastSync(record.name, newest.id, newest.state) if newest else None
        return replace(record, lease_until=lease_until, last_sync=last)

    def _one(self, source: str, state: SyncState) -> SyncRecord | None:
        return next((sync for sync in self.records.values() if (sync.source, sync.state) == (source, state)), None)

    def _add(self, record: SyncRecord) -> SyncRecord:
        self.numbers += 1
        self.records[self.numbers] = replace(record, id=self.numbers)
        numbers = sorted(number for number, sync in self.records.items() if sync.source == record.source)
        for number in numbers[:-KEPT_SYNCS]:
            del self.records[number]
        return self.records[self.numbers]

    def _end(self, report: SyncReport, state: SyncState) -> None:
        number = report.id
        if number is None:
            begun = SyncRecord(id=0, source=report.source, state=SyncState.RUNNING, started_at=report.started_at)
            number = self._add(begun).id
        self._write(replace(report, id=number), state, report.finished_at)

    def _write(self, report: SyncReport, state: SyncState, finished_at: dt.datetime | None) -> None:
        known = self.records.get(report.id or 0)
        if known is not None and known.state is SyncState.RUNNING:
            figures = {name: getattr(report, name) for name in _FIGURES}
            self.records[known.id] = replace(known, state=state, finished_at=finished_at, **figures)


class MemoryStaging:
    """Products of a crawl under way, in two dicts."""

    def __init__(self, store: MemoryCatalogue, source: str) -> None:
        self._store = store
        self._source = source
        self._added: dict[str, tuple[Product, bytes, bytes]] = {}
        self._kept: set[str] = set()
        self._known = {row.digest: row.product.source_id for row in store.rows.values() if row.product.source == source}

    def known(self) -> Mapping[bytes, str]:
        return self._known

    def add(self, product: Product, document: bytes, digest: bytes) -> None:
        self._added[product.source_id] = (product, document, digest)

    def keep(self, source_id: str) -> None:
        self._kept.add(source_id)

    def counts(self) -> tuple[int, int]:
        return len(self._known), len(self._seen())

    def commit(self, report: SyncReport, rejected: Iterable[Rejected], owner: str) -> SyncReport:
        store = self._store
        with store.lock:
            if store.leases.get(self._source, ("",))[0] != owner:
                raise LeaseLost("Another process has taken over this source.")
            gone = set(self._known.values()) - self._seen()
            store.bury([f"{self._source}:{source_id}" for source_id in gone], report.finished_at)
            updated = sum(self._put(*added) for added in self._added.values())
            store.version += bool(self._added or gone)
            created, version = len(self._added) - updated, store.version
            done = replace(report, created=created, updated=updated, deleted=len(gone), version=version)
            store.rejected[self._source] = list(rejected)
            store.held.pop(self._source, None)
            self._record(done)
            return done

    def hold(self, report: SyncReport) -> None:
        self._store.held[self._source] = self._seen()
        self._store.record(report)

    def held_agrees(self) -> bool:
        if self._source not in self._store.held:
            return False
        held, seen = self._store.held[self._source], self._seen()
        return len(held & seen) >= 0.9 * max(len(held), len(seen))

    def _seen(self) -> set[str]:
        return self._kept | set(self._added)

    def _put(self, product: Product, document: bytes, digest: bytes) -> bool:
        known = self._store.rows.get(product.id)
        self._store.keys += known is None
        key = known.key if known else self._store.keys
        self._store.rows[product.id] = _Row(key, product, document, digest)
        self._store.tombstones.pop(product.id, None)
        return known is not None

    def _record(self, report: SyncReport) -> None:
        known = self._store.sources.get(report.source, SourceRecord(name=report.source))
        self._store.sources[report.source] = replace(
            known,
            products=report.products,
            rejected=report.rejected,
            synced_at=report.finished_at,
            attempted_at=report.finished_at,
            outcome=report.outcome,
            failures=0,
            duration_ms=report.duration_ms,
        )
        self._store.close_sync(report)


class MemoryGuardBook:
    """Guards' states in memory; a source's places are counted in this process only."""

    def __init__(self, **states: GuardState) -> None:
        self.states: dict[str, GuardState] = dict(states)
        self._calls: dict[str, int] = {}
        self._lock = threading.RLock()

    def read(self, source: str) -> GuardState:
        with self._lock:
            return self.states.get(source, GuardState())

    def change(self, source: str, step: Callable[[GuardState], tuple[GuardState, Any]]) -> Any:
        with self._lock:
            self.states[source], answer = step(self.read(source))
            return answer

    @contextmanager
    def slot(self, source: str, limit: int, deadline: float) -> Iterator[None]:
        while not self._take(source, limit):
            if time.monotonic() >= deadline:
                raise UpstreamTimeout("No place was free in time.")
            time.sleep(0.005)
        try:
            yield
        finally:
            with self._lock:
                self._calls[source] -= 1

    def _take(self, source: str, limit: int) -> bool:
        with self._lock:
            free = self._calls.get(source, 0) < limit
            self._calls[source] = self._calls.get(source, 0) + free
            return free


@dataclass
class _Family:
    """A login's refresh tokens."""

    account_id: int
    current: str
    until: dt.datetime
    ended: bool = False


@dataclass
class MemoryAccounts:
    """An account store in memory."""

    accounts: dict[int, Account] = field(default_factory=dict)
    families: dict[str, _Family] = field(default_factory=dict)
    api_keys: dict[bytes, ApiKey] = field(default_factory=dict)
    last_id: int = 0
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def open(self) -> None:
        self._require()

    def ping(self) -> None:
        self._require()

    def close(self) -> None:
        """Hold nothing."""

    def add(self, username: str, password_hash: str, role: Role, now: dt.datetime, *, wanted_id: int | None = None) -> Account:
        with self.lock:
            if self.find(username) is not None:
                raise NameTaken("There is an account of this name already.")
            number = wanted_id if wanted_id and wanted_id not in self.accounts else self.last_id + 1
            self.last_id = max(self.last_id, number)
            made = Account(
                id=number,
                username=username,
                role=role,
                enabled=True,
                generation=1,
                created_at=now,
                password_hash=password_hash,
            )
            self.accounts[number] = made
            return made

    def find(self, username: str) -> Account | None:
        self._require()
        return next((one for one in self.find_all() if fold(one.username) == fold(username)), None)

    def get(self, account_id: int) -> Account | None:
        self._require()
        return self.accounts.get(account_id)

    def find_all(self) -> Sequence[Account]:
        self._require()
        return sorted(self.accounts.values(), key=lambda one: fold(one.username))

    def set_password(self, account_id: int, password_hash: str, *, revoke: bool, instead_of: str | None = None) -> None:
        with self.lock:
            found = self.get(account_id)
            if found is not None and instead_of in {None, found.password_hash}:
                self._change(account_id, revoke=revoke, password_hash=password_hash)

    def set_enabled(self, account_id: int, *, enabled: bool) -> None:
        self._change(account_id, revoke=not enabled, enabled=enabled)

    def start_family(self, account_id: int, family: str, token_id: str, until: dt.datetime) -> None:
        self._require()
        self.families[family] = _Family(account_id, token_id, until)

    def rotate(self, family: str, token_id: str, next_id: str, now: dt.datetime) -> bool:
        self._require()
        with self.lock:
            found = self.families.get(family)
            if found is None or found.ended or found.until <= now:
                return False
            found.ended = found.current != token_id
            found.current = next_id
            return not found.ended

    def has_family(self, family: str, now: dt.datetime) -> bool:
        self._require()
        found = self.families.get(family)
        return found is not None and not found.ended and found.until > now

    def end_family(self, family: str) -> None:
        self._require()
        if family in self.families:
            self.families[family].ended = True

    def revocations(self) -> Revocations:
        self._require()
        ended = frozenset(name for name, family in self.families.items() if family.ended)
        return Revocations(ended, {one.id: one.generation if one.enabled else None for one in self.accounts.values()})

    def add_key(self, key: ApiKey, digest: bytes) -> None:
        self._require()
        self.api_keys[digest] = key

    def find_key(self, digest: bytes) -> ApiKey | None:
        self._require()
        return self.api_keys.get(digest)

    def keys(self) -> Sequence[ApiKey]:
        self._require()
        return sorted(self.api_keys.values(), key=lambda key: key.created_at, reverse=True)

    def touch_key(self, key_id: str, now: dt.datetime) -> None:
        self._replace_key(key_id, last_used_at=now)

    def revoke_key(self, key_id: str, now: dt.datetime) -> bool:
        self._require()
        return any(self._replace_key(key.id, revoked_at=key.revoked_at or now) for key in self.keys() if key.id == key_id)

    def _replace_key(self, key_id: str, **changes: Any) -> bool:
        with self.lock:
            found = [digest for digest, key in self.api_keys.items() if key.id == key_id]
            for digest in found:
                self.api_keys[digest] = replace(self.api_keys[digest], **changes)
            return bool(found)

    def _change(self, account_id: int, *, revoke: bool, **changes: Any) -> None:
        self._require()
        with self.lock:
            if account_id in self.accounts:
                old = self.accounts[account_id]
                self.accounts[account_id] = replace(old, generation=old.generation + revoke, **changes)
            for family in self.families.values():
                family.ended |= revoke and family.account_id == account_id

    def _require(self) -> None:
        if self.down:
            raise StoreDown


class FakeHasher:
    """Hashes that can be read: ``cost|password``; it notes every hash that was checked."""

    def __init__(self, cost: int = 1) -> None:
        self.cost = cost
        self.checked: list[str] = []
        self.full = False

    def hash(self, password: str) -> str:
        if self.full:
            raise Unavailable("Too many passwords are being checked at the moment.", retry_after=2)
        return f"{self.cost}|{password}"

    def verify(self, password_hash: str, password: str) -> bool:
        self.checked.append(password_hash)
        return password_hash.partition("|")[2] == password

    def needs_rehash(self, password_hash: str) -> bool:
        return int(password_hash.partition("|")[0]) < self.cost

    def decoy(self) -> str:
        return f"{self.cost}|\0decoy"


class FakeFirstPassword:
    """Keeps what was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []
        self.forgotten = 0

    def show(self, username: str, password: str) -> None:
        self.shown.append((username, password))

    def forget(self) -> None:
        self.forgotten += 1


def digest_of(document: bytes) -> bytes:
    return hashlib.blake2b(document, digest_size=16).digest()


def put_snapshot(
    writer: Any, source: str, products: Iterable[Product], rejected: Sequence[Rejected] = (), *, owner: str = "one"
) -> SyncReport:
    """Commit these products as the source's snapshot, the way a crawl does: what is unchanged is kept, the rest added."""
    assert writer.acquire(source, owner, NOW + dt.timedelta(seconds=30), NOW)
    with writer.stage(source) as staging:
        for product in products:
            document = dump_product(product)
            known = staging.known().get(digest_of(document))
            if known is None:
                staging.add(product, document, digest_of(document))
            else:
                staging.keep(known)
        report = make_report(source, products=staging.counts()[1], rejected=len(rejected))
        done = staging.commit(report, rejected, owner)
    writer.release(source, owner)
    return done


def names_of(documents: Iterable[bytes]) -> list[str]:
    return [orjson.loads(document)["name"] for document in documents]


def ids_of(documents: Iterable[bytes]) -> list[str]:
    return [orjson.loads(document)["id"] for document in documents]


PASSWORD = "correct horse battery staple"


class FakeDoor:
    """A door whose tokens are words: ``admin-token`` is an admin's login, ``admin-key`` an admin's key; ended ones are known no more."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}
        self.accounts: dict[str, tuple[str, Role]] = {"ada": (PASSWORD, Role.ADMIN), "rita": (PASSWORD, Role.READER)}
        self.refreshes: dict[str, str] = {}
        self.renewals: dict[str, TokenPair | Exception] = {}  # by session
        self.numbers = 0
        for number, role in enumerate(Role, start=1):
            login = Caller(name=role, kind=CallerKind.ACCOUNT, role=role, account_id=number, session=f"s-{role}", token_id="1")
            self.callers[f"{role}-token"] = login
            self.callers[f"{role}-key"] = Caller(name=f"{role}-machine", kind=CallerKind.KEY, role=role, token_id=f"k-{role}")

    def login(self, username: str, password: str) -> tuple[TokenPair, Caller]:
        known = self.accounts.get(username)
        if known is None or known[0] != password:
            raise Unauthenticated("The username or the password is wrong")
        return self._give(username, known[1])

    def refresh(self, token: str) -> tuple[TokenPair, Caller]:
        username = self.refreshes.pop(token, None)
        if username is None:
            raise Unauthenticated("Authorization token is invalid", "invalid_token")
        return self._give(username, self.accounts[username][1])

    def renew(self, caller: Caller) -> TokenPair | None:
        found = self.renewals.get(caller.session or "")
        if isinstance(found, Exception):
            raise found
        return found

    def logout(self, caller: Caller) -> None:
        self.callers = {token: known for token, known in self.callers.items() if known.session != caller.session}

    def know(self, token: str) -> Caller:
        if token not in self.callers:
            raise Unauthenticated("Authorization token is invalid", "invalid_token")
        return self.callers[token]

    def public_keys(self) -> Mapping[str, Any]:
        return {"keys": [{"kty": "OKP", "kid": "1"}]}

    def _give(self, username: str, role: Role) -> tuple[TokenPair, Caller]:
        self.numbers += 1
        access, refresh, session = f"a-{self.numbers}", f"r-{self.numbers}", f"s-{self.numbers}"
        caller = Caller(name=username, kind=CallerKind.ACCOUNT, role=role, account_id=9, session=session, token_id=access)
        self.callers[access], self.refreshes[refresh] = caller, username
        return TokenPair(access, 900, refresh), caller


def as_admin(client: Any) -> Any:
    """Have a test client send the token of :class:`FakeDoor`'s admin with every request."""
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer admin-token"
    return client


class MemoryCounters:
    """Counters in a dict, by a clock that moves when it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.open: dict[str, tuple[float, int]] = {}

    def add(self, key: str, window: float) -> Count:
        ends, number = self.open.get(key, (0.0, 0))
        now = self.clock.monotonic()
        if ends <= now:
            ends, number = now + window, 0
        self.open[key] = (ends, number + 1)
        return Count(number + 1, ends - now)

    def read(self, key: str) -> Count:
        ends, number = self.open.get(key, (0.0, 0))
        now = self.clock.monotonic()
        return Count(number, ends - now) if ends > now else Count()

    def drop(self, key: str) -> None:
        self.open.pop(key, None)


@dataclass
class MemoryTasks:
    """A task store in memory; everything is found by looking at every task."""

    kept: dict[int, Task] = field(default_factory=dict)
    last: int = 0
    down: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def open(self) -> None:
        self._require()

    def ping(self) -> None:
        self._require()

    def close(self) -> None:
        """Nothing to give back."""

    def add(self, task: Task) -> Task:
        with self._held():
            known = next((each for each in self.kept.values() if each.cause is not None and each.cause == task.cause), None)
            if known is not None:
                return known
            self.last += 1
            self.kept[self.last] = replace(task, id=self.last)
            return self.kept[self.last]

    def get(self, task_id: int) -> Task | None:
        with self._held():
            return self.kept.get(task_id)

    def find(self, query: TaskQuery) -> tuple[Sequence[Task], int]:
        with self._held():
            found = [task for _, task in sorted(self.kept.items()) if _is_wanted(task, query)]
        name, falls = query.sort.removeprefix("-"), query.sort.startswith("-")
        found.sort(key=lambda task: _sort_key(task, name), reverse=falls)  # stable: equals stay in the order of their numbers
        start = (query.page - 1) * query.per_page
        return [replace(task, history=()) for task in found[start : start + query.per_page]], len(found)

    def left_by_kind(self) -> dict[TaskKind, int]:
        with self._held():
            return Counter(task.kind for task in self.kept.values() if task.status is not TaskStatus.DONE)

    def caused(self, prefix: str) -> Sequence[Task]:
        with self._held():
            return [task for _, task in sorted(self.kept.items()) if (task.cause or "").startswith(prefix) and task.cause]

    def replace(self, task: Task, expected: int) -> bool:
        with self._held():
            if not self._has(task.id, expected):
                return False
            self.kept[task.id] = task
            return True

    def delete(self, task_id: int, expected: int) -> bool:
        with self._held():
            return self._has(task_id, expected) and self.kept.pop(task_id) is not None

    def delete_titled(self, title: str) -> int:
        with self._held():
            before = len(self.kept)
            self.kept = {number: task for number, task in self.kept.items() if task.title != title}
            return before - len(self.kept)

    def reset(self) -> int:
        with self._held():
            dropped, self.kept, self.last = len(self.kept), {}, 0
            return dropped

    def count(self) -> int:
        with self._held():
            return len(self.kept)

    def last_number(self) -> int:
        with self._held():
            return self.last

    def scan(self, after: int, limit: int) -> Sequence[Task]:
        with self._held():
            return [task for number, task in sorted(self.kept.items()) if number > after][:limit]

    def load(self, tasks: Iterable[Task], last: int) -> None:
        with self._held():
            self.kept.update({task.id: task for task in tasks})
            self.last = max(self.last, last)

    def _has(self, task_id: int, version: int) -> bool:
        return task_id in self.kept and self.kept[task_id].version == version

    def _require(self) -> None:
        if self.down:
            raise StoreDown

    @contextmanager
    def _held(self) -> Iterator[None]:
        self._require()
        with self.lock:
            yield


def _sort_key(task: Task, name: str) -> Any:
    return (
        fold(task.title)
        if name == "title"
        else getattr(task, {"created": "created_at", "updated": "updated_at"}.get(name, name))
    )


def _is_wanted(task: Task, query: TaskQuery) -> bool:
    filters = ("status", "priority", "kind", "product", "assignee")
    text = fold(f"{task.title}\n{task.short_description}")
    return all(getattr(task, name) in getattr(query, name) for name in filters if getattr(query, name)) and all(
        fold(word) in text for word in query.words
    )


class NotedAftermath:
    """Writes down what it is told: reports, and names of the only sources there are."""

    def __init__(self) -> None:
        self.reports: list[SyncReport] = []
        self.kept: list[set[str]] = []

    def follow(self, source: Source, report: SyncReport) -> None:
        assert source.name == report.source
        self.reports.append(report)

    def forget(self, kept: Collection[str]) -> None:
        self.kept.append(set(kept))


def make_task(title: str = "Mend the lamp", **given: Any) -> Task:
    made = {"created_at": NOW, "created_by": "ada", "updated_at": NOW, "updated_by": "ada"}
    return Task(**{"id": 0, "title": title, **made, **given})
