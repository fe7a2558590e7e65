"""Shows the first admin's password to the person who starts Aisle, never to a log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import structlog

from main.util.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

FILE = "first-admin-password"
_log = structlog.get_logger("accounts")


class FirstPasswordNotice:
    """Writes the password to the terminal, or, where nobody sits at one, to a file that only the own user can read.

    Standard error that is no terminal is somebody's log file, and a log is kept, copied and read by others.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def show(self, username: str, password: str) -> None:
        """Let the person who started Aisle see it."""
        if sys.stderr.isatty():
            sys.stderr.write(
                f"\n  There was no account yet. Log in as {username} with this password, which is shown only now:\n\n"
                f"      {password}\n\n  Change it: python -m main users passwd {username}\n\n"
            )
            sys.stderr.flush()
            return
        try:
            write_whole(self._path, f"{password}\n")
        except OSError as error:
            _log.error("accounts.first_password_lost", error=error.strerror, remedy=f"python -m main users passwd {username}")
        else:
            _log.warning("accounts.first_admin_made", username=username, file=str(self._path))

    def forget(self) -> None:
        """Remove the file, if there is one."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.error("accounts.first_password_kept", path=str(self._path), error=error.strerror)
