"""The caches that must keep the contract: each tier alone, and each behind memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.cache.file import FileCache
from main.resources.cache.memcached import MemcachedCache
from main.resources.cache.memory import MemoryCache
from main.resources.cache.redis import RedisCache
from main.resources.cache.tiered import Tiered

if TYPE_CHECKING:
    from pathlib import Path

    from main.service.ports.caches import Cache

SERVED = ("memcached", "redis")
SHARED = ("file", *SERVED)
TIERS = ("memory", *SHARED)
ALL = (*TIERS, *(f"tiered over {tier}" for tier in ("nothing", *SHARED)))
ALL_SHARED = (*SHARED, *(f"tiered over {tier}" for tier in SHARED))

# What a busy machine never needs; tests of what is late take the default instead.
LONG = 10.0


def make_tier(kind: str, folder: Path, port: int | None = None, *, timeout: float = LONG) -> Cache:
    """A tier that nothing was asked of yet."""
    if kind == "memory":
        return MemoryCache()
    if kind == "file":
        return FileCache(folder / "cache", timeout=timeout)
    if kind == "memcached":
        return MemcachedCache(("127.0.0.1", port or 1), timeout=timeout)
    return RedisCache(f"redis://127.0.0.1:{port or 1}", timeout=timeout)


def make_any(name: str, folder: Path, port: int | None = None) -> Cache:
    """A tier alone, or memory in front of one."""
    kind = name.removeprefix("tiered over ")
    if kind == name:
        return make_tier(kind, folder, port)
    return Tiered(MemoryCache(), None if kind == "nothing" else make_tier(kind, folder, port))
