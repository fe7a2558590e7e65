"""The part of bootstrap that is about the doors: turns settings into accounts, tokens, keys and limits."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from main.resources.accounts.firstpassword import FILE as FIRST_PASSWORD
from main.resources.accounts.firstpassword import FirstPasswordNotice
from main.resources.accounts.hashing import PATIENCE, ArgonHasher
from main.resources.accounts.store import SqliteAccounts
from main.resources.accounts.turns import MachineTurns
from main.resources.database.engine import sqlite_path
from main.resources.limits.counters import StorageCounters
from main.resources.limits.storages import make_storages
from main.resources.tokens.codec import JwtCodec
from main.resources.tokens.folder import KeyFolder
from main.resources.tokens.keyring import GivenKey, KeyRing
from main.resources.tokens.outside import OutsideTokens
from main.resources.upstream.document import fetch_document
from main.resources.upstream.watchdog import Watchdog
from main.service.accounts import AccountService
from main.service.doors import DoorService, DoorTools
from main.service.lifecycle import Component, Lifecycle
from main.service.machines import MachineKeys
from main.service.model import Policy, TokenTerms
from main.util.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.service.doors import Passwords
    from main.service.model import Rate
    from main.service.ports.doors import AccountStore
    from main.settings import Settings

KEYS = "keys"  # the folder of the keys that sign tokens
PROVIDERS = "providers"  # the folder of the last-good copies of identity providers' keys
HASHING = "hashing"  # the folder in which the machine's processes take turns to hash passwords
LIMITS = "limits"  # the folder in which the machine's workers count for the limits
# Seconds a start and a terminal wait for their turn to hash a password: neither has anybody to come back later.
_PATIENT = 60.0


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


def make_account_store(settings: Settings, clock: Clock | None = None) -> SqliteAccounts:
    """Make the account store that the settings ask for; nothing is opened before ``open()``."""
    return SqliteAccounts(sqlite_path(settings.store.url, settings.data), clock)


def build_accounts(settings: Settings, *, store: AccountStore | None = None, clock: Clock | None = None) -> AccountServices:
    """Build what manages accounts; nothing is opened before ``lifecycle.open()``. Keywords replace parts."""
    clock = clock or SystemClock()
    store = store or make_account_store(settings, clock)
    accounts = make_accounts(settings, store, clock, patience=_PATIENT)
    return AccountServices(accounts, Lifecycle([Component("accounts", "sqlite", store)]))


def make_accounts(settings: Settings, store: AccountStore, clock: Clock, *, patience: float = PATIENCE) -> AccountService:
    """Make what knows accounts and their passwords; a turn to hash one is waited for ``patience`` seconds."""
    auth = settings.auth
    turns = MachineTurns(settings.data / HASHING, auth.hash_slots)
    hasher = ArgonHasher(auth.argon2, auth.hash_slots, turns, patience=patience)
    first = FirstPasswordNotice(settings.data / FIRST_PASSWORD)
    return AccountService(store, hasher, first, clock, password_min=auth.password_min)


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


def make_counters(settings: Settings) -> StorageCounters:
    """Make what counts for the limits, over all workers; nothing is connected before it is used."""
    chosen = settings.cache
    url = chosen.url.reveal() if chosen.url else None
    return StorageCounters(*make_storages(settings.data / LIMITS, url))


def make_policy(name: str, rate: Rate | None) -> Policy | None:
    """Give what a limit is called and how much it allows; None where there is none."""
    return None if rate is None else Policy(name, rate)
