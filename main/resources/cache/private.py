"""Folders that are ours alone: whoever else could write into a cache could tell us what to answer."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from main.service.errors import CacheDown

if TYPE_CHECKING:
    from pathlib import Path

_MODE = 0o700


def make_private(folder: Path) -> None:
    """Make a folder that only this user can enter, or close one that is open to others.

    Raises:
        CacheDown: it belongs to somebody else, is no folder, or cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(_MODE, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            folder.chmod(_MODE)
    except OSError as error:
        raise CacheDown(f"The cache's folder cannot be made or closed to others ({error.strerror}).") from error
    require_private(folder)


def require_private(folder: Path) -> None:
    """Return when a folder is there and ours alone.

    Raises:
        CacheDown: it is not.
    """
    try:
        found = folder.lstat()
    except OSError as error:
        raise CacheDown(f"The cache's folder cannot be used ({error.strerror}).") from error
    if not stat.S_ISDIR(found.st_mode):
        raise CacheDown("The cache's folder is no folder, or only a link to one.")
    if found.st_uid != os.geteuid():
        raise CacheDown("The cache's folder belongs to another user.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise CacheDown("The cache's folder is open to others.")
