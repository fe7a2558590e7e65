"""The folder of signing keys: one file a key, for the own user's eyes only."""

from __future__ import annotations

import fcntl
import os
import re
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from main.resources.tokens.signing import dump_key, load_key
from main.service.errors import Unavailable
from main.util.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from main.resources.tokens.signing import SigningKey

_KID = re.compile(r"[0-9a-f]{32}\Z")
_SUFFIX = ".json"
_LOCK = ".lock"
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600

_log = structlog.get_logger("keys")


class KeyFolder:
    """Signing keys as files, named by their ``kid``; several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def secure(self) -> None:
        """Make the folder, or close it and its files to others.

        Raises:
            Unavailable: it cannot be made, or is not ours.
        """
        with self._told():
            self._path.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
            found = self._path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                raise Unavailable("The folder of signing keys is no folder of this user's own.")
            self._path.chmod(_FOLDER_MODE)
            for path in self._path.glob(f"*{_SUFFIX}"):
                _close(path)

    def read(self) -> dict[str, SigningKey | None]:
        """Give every key by its ``kid``; None for a file that holds none. A folder that was never made has none.

        Raises:
            Unavailable: the folder cannot be read.
        """
        with self._told():
            found = list(self._path.iterdir()) if self._path.exists() else []
            names = [path.name.removesuffix(_SUFFIX) for path in found if path.name.endswith(_SUFFIX)]
        return {name: self._load(name) for name in names if _KID.match(name)}

    def has(self, kid: str) -> bool:
        """Tell whether there is a file of this key; cheap, and safe to ask for any text."""
        return _KID.match(kid) is not None and self._file(kid).exists()

    def write(self, key: SigningKey) -> None:
        """Keep a key.

        Raises:
            Unavailable: it cannot be written.
        """
        with self._told():
            write_whole(self._file(key.kid), dump_key(key))

    def remove(self, kid: str) -> None:
        """Forget a key.

        Raises:
            Unavailable: the folder cannot be written to.
        """
        with self._told():
            self._file(kid).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from changing the folder meanwhile; the kernel ends that when this one dies.

        Raises:
            Unavailable: the folder cannot be used.
        """
        with self._told():
            file = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE_MODE)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
            finally:
                os.close(file)

    def _file(self, kid: str) -> Path:
        return self._path / f"{kid}{_SUFFIX}"

    def _load(self, kid: str) -> SigningKey | None:
        try:
            key = load_key(self._file(kid).read_text(encoding="utf-8"))
            if key.kid != kid:
                raise ValueError("a key of another name")
        except FileNotFoundError:
            return None  # it was retired this very moment
        except (OSError, ValueError):
            _log.warning("keys.unreadable", kid=kid)
            return None
        return key

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(f"The folder of signing keys cannot be used ({error.strerror}).") from error


def _close(path: Path) -> None:
    if path.is_symlink():
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        _log.warning("keys.file_was_open", kid=path.name.removesuffix(_SUFFIX))
        path.chmod(_FILE_MODE)
