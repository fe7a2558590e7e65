"""Where answers are kept for a while, and locks are taken."""

from __future__ import annotations

from typing import Protocol

from main.service.ports import Resource


class Cache(Resource, Protocol):
    """Bytes by key, each for a while; a miss is always allowed. Safe to use from several threads.

    Every method raises CacheDown when the tier does not answer, except on a tiered cache, which takes that as a miss.
    """

    def get(self, key: str) -> bytes | None:
        """Give the value, or None where there is none or its time is over."""

    def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value for that long."""

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        """Take the lock of this name, or renew it where the owner has it; False while another owner's is alive."""

    def unlock(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's."""


class NearCache(Cache, Protocol):
    """A cache with a tier in this process's own memory, which never raises CacheDown."""

    def peek(self, key: str) -> bytes | None:
        """Give the value if it is at hand in this process, without asking anybody."""

    def consult(self, key: str) -> bytes | None:
        """Give the value that all processes share, which may be newer than the one at hand; where it cannot be had, that one."""
