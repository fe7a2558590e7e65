"""Whose turn it is to hash a password: so many at a time over all processes of the machine, however many workers there are."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import TYPE_CHECKING

import structlog

from main.util.filelocks import try_lock, unlock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SHORTEST_NAP, _LONGEST_NAP = 0.005, 0.015

_log = structlog.get_logger("accounts")


class MachineTurns:
    """A lock file for each turn, which the kernel frees when its process dies."""

    def __init__(self, folder: Path, number: int) -> None:
        self._paths = [folder / f"{place}.turn" for place in range(number)]

    def take(self, patience: float) -> Callable[[], None] | None:
        """Give what ends the turn; None where all are taken for so many seconds.

        A folder that cannot be used keeps nobody from logging in: each process has bounds of its own beside these.
        """
        until = time.monotonic() + patience
        try:
            while (file := self._try_all()) is None:
                if time.monotonic() >= until:
                    return None
                time.sleep(random.uniform(_SHORTEST_NAP, _LONGEST_NAP))  # noqa: S311 - keeps processes out of step, no secret
        except OSError as error:
            _log.warning("accounts.turns_lost", error=error.strerror)
            return lambda: None
        return partial(unlock, file)

    def _try_all(self) -> int | None:
        for path in self._paths:
            file = try_lock(path)
            if file is not None:
                return file
        return None
