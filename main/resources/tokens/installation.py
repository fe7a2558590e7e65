"""A secret that all processes of an installation share, made by the first that asks."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from main.service.errors import Unavailable

_BYTES = 32
_FOLDER_MODE = 0o700


def installation_secret(path: Path) -> bytes:
    """Give the secret kept in a file (0600), made where there is none; whoever makes it first, all get the same one.

    Raises:
        Unavailable: it can neither be read nor made, or the file holds something else.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"The secret of this installation cannot be had: {error.strerror}.") from error
    if len(secret) != _BYTES:
        raise Unavailable("The secret of this installation is damaged; delete its file and every login begins anew.")
    return secret


def _make(path: Path) -> None:
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
        # A link, not a move: the first one stays, and nobody ever reads half of it.
        os.link(name, path)
    except FileExistsError:
        return
    finally:
        Path(name).unlink(missing_ok=True)
