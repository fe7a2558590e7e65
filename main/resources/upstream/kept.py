"""Answers kept for the next time, so that a shop need only say that nothing changed (RFC 9110, 13.1)."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from main.service.errors import CacheDown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.resources.upstream.wire import Reply
    from main.service.model import Source
    from main.service.ports.caches import Cache
    from main.service.ports.guards import GuardBook
    from main.util.clock import Clock

_SECONDS = 24 * 3600.0
_LARGEST = 900 * 1024  # as it is kept; what is larger would cost a worker's memory more than a shop's sending it again
_LARGEST_BODY = 8 * 1024 * 1024
_LARGEST_HEAD = 16 * 1024
_FORM = 3
_FLEETING = {
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    *("proxy-authenticate", "proxy-authentication-info", "proxy-authorization"),
    *("content-length", "content-encoding", "set-cookie", "set-cookie2"),
}


class _Head(msgspec.Struct):
    form: int
    url: str
    at: float
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer from before: its headers (names in lower case), its body, and when the shop was asked for them (Unix seconds)."""

    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask whether it still holds."""
        asked = {"If-None-Match": self.headers.get("etag"), "If-Modified-Since": self.headers.get("last-modified")}
        return {name: value for name, value in asked.items() if value}


class KeptAnswers:
    """One source's kept answers; a cache that is down keeps nothing and gives nothing.

    Those from before the purge that stands in the guards' book are given no more: a shop that says "unchanged" when it is not would
    keep a wrong one alive for ever.
    """

    def __init__(self, cache: Cache, source: Source, guards: GuardBook, clock: Clock) -> None:
        self._cache = cache
        self._name = source.name
        self._guards = guards
        self._clock = clock
        # Who asks with other credentials may be shown other things.
        self._asker = repr((source.name, source.credentials.digest(), sorted(source.headers.items())))

    def now(self) -> float:
        """Give the time by which answers from before a purge are told from those that were asked for since."""
        return self._clock.timestamp()

    def find(self, url: str) -> Kept | None:
        """Give the answer that was kept for a URL, if there is one."""
        try:
            found = self._cache.get(self._key(url))
        except CacheDown:
            return None
        kept = None if found is None else _unpack(found, url)
        return kept if kept is not None and self._may_use(kept) else None

    def keep(self, url: str, reply: Reply, asked_at: float) -> None:
        """Keep an answer that can be asked for on a condition; any other is let go."""
        self._store(url, Kept(_lasting(reply.headers), reply.body, asked_at))

    def renew(self, url: str, kept: Kept, reply: Reply) -> Kept:
        """Give an answer of which the shop has just said that it still holds, with the headers it said that with; keep it for longer.

        They are laid over those that were kept (RFC 9111, 3.2), but for what they say of a body that did not come. It stays as old
        as it is.
        """
        told = {name: value for name, value in _lasting(reply.headers).items() if not name.startswith("content-")}
        fresh = Kept({**kept.headers, **told}, kept.body, kept.at)
        self._store(url, fresh)
        return fresh

    def _may_use(self, kept: Kept) -> bool:
        return not self._guards.read(self._name).has_voided(kept.at, self.now())

    def _store(self, url: str, kept: Kept) -> None:
        if not _may_be_kept(kept):
            return
        head = _Head(_FORM, url, kept.at, dict(kept.headers))
        packed = msgspec.json.encode(head) + b"\n" + gzip.compress(kept.body, 1, mtime=0)
        if len(packed) <= _LARGEST:
            try:
                self._cache.set(self._key(url), packed, _SECONDS)
            except CacheDown:
                return

    def _key(self, url: str) -> str:
        return "kept-" + hashlib.blake2b(f"{self._asker}\n{url}".encode(), digest_size=20).hexdigest()


def _lasting(headers: Mapping[str, str]) -> dict[str, str]:
    """Give the headers that belong to an answer: not to its connection, to how its body was sent, or to whoever asked.

    A list may go on by any of them, so it would be cut where one was left out.
    """
    hops = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {name: value for name, value in headers.items() if name not in _FLEETING and name not in hops}


def _may_be_kept(kept: Kept) -> bool:
    headers = kept.headers
    if "no-store" in headers.get("cache-control", "").lower() or headers.get("vary", "").strip() == "*":
        return False
    size = sum(len(name) + len(value) for name, value in headers.items())
    return size <= _LARGEST_HEAD and len(kept.body) <= _LARGEST_BODY and bool(kept.conditions)


def _unpack(found: bytes, url: str) -> Kept | None:
    head, _, body = found.partition(b"\n")
    try:
        told = msgspec.json.decode(head, type=_Head)
        whole = gzip.decompress(body)
    except (msgspec.DecodeError, OSError, EOFError, zlib.error):
        return None  # written by another version, or cut off
    return Kept(told.headers, whole, told.at) if (told.form, told.url) == (_FORM, url) else None
