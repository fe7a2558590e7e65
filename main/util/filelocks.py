"""File locks that the kernel frees when their process dies, waited for only so long: a process that was stopped keeps its own."""

from __future__ import annotations

import fcntl
import os
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MODE = 0o600
_FOLDER_MODE = 0o700
_SHORTEST_NAP, _LONGEST_NAP = 0.0002, 0.001


def open_private(path: Path) -> int:
    """Open a file for this user alone to read and write, made with its folder where there is none, and give its descriptor.

    Raises:
        OSError: it cannot be opened or created.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
    except FileNotFoundError:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, _MODE)


def try_lock(path: Path) -> int | None:
    """Lock a file, made where there is none, and give its descriptor for :func:`unlock`; None while another holds it.

    Raises:
        OSError: the file cannot be opened or created.
    """
    file = open_private(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return file


def unlock(file: int) -> None:
    """Free a lock. Said aloud, because a descriptor that went along into a forked process would keep it."""
    fcntl.flock(file, fcntl.LOCK_UN)
    os.close(file)


@contextmanager
def locked(path: Path, patience: float, progress: Callable[[], object]) -> Iterator[int]:
    """Hold a file's lock and give its descriptor, waiting ``patience`` seconds at most; up to ten times that while those who hold it before make progress.

    Raises:
        TimeoutError: it was not to be had.
        OSError: the file cannot be opened or created.
    """
    file = try_lock(path)
    if file is None:
        file = _wait(path, patience, progress)
    try:
        yield file
    finally:
        unlock(file)


def _wait(path: Path, patience: float, progress: Callable[[], object]) -> int:
    seen, now = progress(), time.monotonic()
    until, last = now + patience, now + 10 * patience
    while time.monotonic() < min(until, last):
        time.sleep(random.uniform(_SHORTEST_NAP, _LONGEST_NAP))  # noqa: S311 - keeps processes out of step, no secret
        file = try_lock(path)
        if file is not None:
            return file
        if (current := progress()) != seen:
            seen, until = current, time.monotonic() + patience
    raise TimeoutError("Another process holds the lock and does not go on.")
