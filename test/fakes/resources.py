"""A resource that is opened, pinged and closed."""

from __future__ import annotations

from main.service.errors import StoreDown


class FakeResource:
    """A resource that writes down what is done to it, and refuses when told to."""

    def __init__(self, name: str, journal: list[str], *, fails: set[str] | None = None) -> None:
        self._name = name
        self._journal = journal
        self.fails = fails or set()

    def open(self) -> None:
        self._note("open")

    def ping(self) -> None:
        self._note("ping")

    def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        self._journal.append(f"{what} {self._name}")
        if what in self.fails:
            raise StoreDown
