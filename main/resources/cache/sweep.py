"""What is thrown out of a folder of cached values."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX = ".__wz_cache"  # what cachelib calls a file that is still being written
_LEFTOVER_AGE = 60.0  # one that is still there after so long has lost its writer
_END = struct.Struct("I")  # cachelib starts each file with the whole second it ends at


def sweep_values(folder: Path, now: float, size: int) -> None:
    """Remove what is over and what writers left half; then the oldest until ``size`` bytes are left.

    Raises:
        OSError: the folder cannot be used.
    """
    kept: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process swept it
            found = path.stat()
            if _is_over(path, found.st_mtime, now):
                path.unlink()
            else:
                kept.append((found.st_mtime, found.st_size, path))
    total = sum(length for _, length, _ in kept)
    for _, length, path in sorted(kept):
        if total <= size:
            return
        path.unlink(missing_ok=True)
        total -= length


def _is_over(path: Path, written: float, now: float) -> bool:
    if path.name.endswith(_SUFFIX):
        return written < now - _LEFTOVER_AGE
    with path.open("rb") as file:
        head = file.read(_END.size)
    return len(head) < _END.size or _END.unpack(head)[0] < now
