"""Work that must never be in the way of answers: done in a thread that the machine serves last."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
NICENESS = 15  # of 19: about a thirtieth of a processor that others want too, and all of one that nobody wants


class _QuietThread(threading.Thread, Generic[T]):
    def __init__(self, work: Callable[[], T], expected: tuple[type[Exception], ...]) -> None:
        super().__init__(name="quiet", daemon=True)
        self._work = work
        self._expected = expected
        self.error: Exception | None = None
        self.result: list[T] = []

    def run(self) -> None:
        if sys.platform == "linux":
            # There, unlike elsewhere, niceness is a thread's own: setpriority(2), "C library/kernel differences".
            # Never less than the process was given: only root may take that back, and whoever gave it meant it.
            me = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, me, max(NICENESS, os.getpriority(os.PRIO_PROCESS, me)))
        try:
            self.result.append(self._work())
        except self._expected as error:
            self.error = error


def run_quietly(work: Callable[[], T], *, expected: tuple[type[Exception], ...] = ()) -> T:
    """Do it in a thread of low priority, wait, and give what it gave.

    Only worth it for work that leaves the interpreter to others while it runs, such as a password's hash: whoever holds it is never quiet.

    Raises:
        Exception: one of the ``expected`` that the work raised.
        RuntimeError: it raised something else, which ``threading.excepthook`` has told.
    """
    thread = _QuietThread(work, expected)
    try:
        thread.start()
    except (
        RuntimeError
    ):  # the system has no more threads: done here, it holds up the others a little, and nobody is turned away
        return work()
    thread.join()
    if thread.error is not None:
        raise thread.error
    if not thread.result:
        raise RuntimeError("The work of a quiet thread broke.")
    return thread.result[0]
