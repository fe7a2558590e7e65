"""The storages that limits may be counted in, by name; and a second process that counts: ``python -m test.contract.limitstorages KIND FOLDER PORT KEY TIMES``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from limits.storage import MemoryStorage

from main.resources.limits import files, storages

if TYPE_CHECKING:
    from limits.storage import Storage

SHARED = ("file", "memcached", "redis")
ALL = ("memory", *SHARED)


def make_storage(kind: str, folder: Path, port: int | None = None) -> Storage:
    """The library's own memory is the pattern that all are held against."""
    if kind == "memory":
        return MemoryStorage()
    return storages.make_storages(folder / "limits", None if kind == "file" else f"{kind}://127.0.0.1:{port}")[0]


if __name__ == "__main__":
    name, folder, port, key, times = sys.argv[1:]
    # How long a request may wait is no part of this: a server, or another child, that is held up for a moment must lose no count.
    storages.TIMEOUT = files.PATIENCE = 30.0
    storage = make_storage(name, Path(folder), int(port))
    storage.get(key)
    print("ready", flush=True)
    sys.stdin.readline()
    numbers = [storage.incr(key, 60) for _ in range(int(times))]
    print(*numbers, flush=True)
