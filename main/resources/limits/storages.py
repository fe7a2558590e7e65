"""Which storages count: the server that the cache uses, where there is one, and the machine's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from limits.storage import storage_from_string

from main.resources.limits.files import FileStorage

if TYPE_CHECKING:
    from pathlib import Path

    from limits.storage import Storage

TIMEOUT = 0.25  # seconds for each step of a call: what waits is a request
_MEMCACHED_PORT = 11211


def make_storages(folder: Path, url: str | None) -> tuple[Storage, ...]:
    """Give the storages in the order in which they are asked; nothing is connected before it is used.

    ``url`` is that of a memcached or Redis server that all machines share.
    """
    own = FileStorage(folder)
    if url is None:
        return (own,)
    server = urlsplit(url)
    if server.scheme == "memcached":
        host = f"[{server.hostname}]" if ":" in str(server.hostname) else server.hostname
        shared = storage_from_string(
            f"memcached://{host}:{server.port or _MEMCACHED_PORT}", connect_timeout=TIMEOUT, timeout=TIMEOUT
        )
    else:
        shared = storage_from_string(url, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT)
    return shared, own  # type: ignore[return-value]  # the library's type speaks of asynchronous ones as well
