"""Catalogue readers to put in the place of the real one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from main.service.model import Head, Hits, Query, Rejected

SECRET = "hunter2-in-a-message"


class CountingReader:
    """Another reader with a count of its calls; ``before_find`` runs just before each search, as another process would."""

    def __init__(self, reader: Any) -> None:
        self.calls: Counter[str] = Counter()
        self.before_find: Callable[[], None] = lambda: None
        self._reader = reader

    def open(self) -> None:
        self._reader.open()

    def ping(self) -> None:
        self._reader.ping()

    def close(self) -> None:
        self._reader.close()

    def head(self) -> Head:
        self.calls["head"] += 1
        return self._reader.head()

    def find(self, query: Query) -> tuple[Head, Hits]:
        self.calls["find"] += 1
        self.before_find()
        return self._reader.find(query)

    def get(self, product_id: str) -> bytes | None:
        self.calls["get"] += 1
        return self._reader.get(product_id)

    def quarantine(self, source: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        self.calls["quarantine"] += 1
        return self._reader.quarantine(source, page, per_page)


class BrokenReader:
    """A reader with a defect: every question raises an error that is none of Aisle's."""

    def open(self) -> None:
        """Nothing is wrong yet."""

    def close(self) -> None:
        """Nothing to give back."""

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any) -> Any:
            raise ZeroDivisionError(SECRET)

        return fail
