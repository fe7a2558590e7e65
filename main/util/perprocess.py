"""Something that every process makes for itself, even when its owner was made before a fork."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Makes one object a process, when it is first asked for; safe to use from many threads.

    There is no lock here on purpose: one that another thread holds at the moment of a fork stays held in the child for ever.
    When threads meet at the first call, each may make an object, and all get the same one of them; so making must be cheap.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}

    def get(self) -> T:
        """Give this process's object."""
        process = os.getpid()
        found = self._made.get(process)
        if found is not None:
            return found
        made = self._made.setdefault(process, self._make())
        for parent in set(self._made) - {process}:
            self._made.pop(parent, None)
        return made

    def drop(self) -> T | None:
        """Forget this process's object, and give it if there was one; the next call of :meth:`get` makes another."""
        return self._made.pop(os.getpid(), None)
