"""Threads for work that can wait for the next occasion: a system that has no more of them stops nobody."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import FilteringBoundLogger


def try_thread(
    name: str, work: Callable[[], object], log: FilteringBoundLogger, event: str, **told: object
) -> threading.Thread | None:
    """Begin the work in a daemon thread of that name and give it; None, with a warning in the log, where none can be had."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        log.warning(event, error=str(error), **told)
        return None
    return thread
