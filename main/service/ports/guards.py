"""What is known of how calls to each source go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from main.service.model import GuardState

T = TypeVar("T")


class GuardBook(Protocol):
    """The guards' state, shared by all processes of the machine. Safe to use from several threads."""

    def read(self, source: str) -> GuardState:
        """Give a source's state as it was a moment ago; that of a source never seen is the default one. Costs next to nothing."""

    def read_now(self, source: str) -> GuardState:
        """Give a source's state as it is now."""

    def change(self, source: str, step: Callable[[GuardState], tuple[GuardState, T]]) -> T:
        """Replace a source's state by what ``step`` makes of it, as one step for all processes, and give its answer."""

    def note(self, source: str, step: Callable[[GuardState], tuple[GuardState, Any]]) -> None:
        """Do the same soon, and before the next change at the latest; for what only counts, and has no time to wait for others."""

    def slot(
        self, source: str, limit: int, deadline: float, closed: threading.Event | None = None
    ) -> AbstractContextManager[None]:
        """Hold one of the source's ``limit`` places for calls under way, counted over all processes of the machine.

        Those of one process get theirs in the order they came. Whoever sets ``closed`` sends the waiter away within a second.

        Raises:
            UpstreamTimeout: none was free before the deadline (monotonic seconds).
            UpstreamClosed: ``closed`` was set while none was free.
        """
