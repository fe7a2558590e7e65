"""A string that does not show itself."""

from __future__ import annotations

import threading
from urllib.parse import quote

MASK = "***"
_SHORTEST = 6  # characters: shorter ones stand in too many honest words
# Of the whole process on purpose: the log masks every secret there is, whoever made it.
_KNOWN: dict[str, None] = {}
_MOST = 1_000  # tokens of shops come and go; the oldest secrets are forgotten first
_LOCK = threading.Lock()


class Secret:
    """A credential: prints as ``***`` wherever it lands; :meth:`reveal` is the only way to its value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        remember_secret(value)

    def reveal(self) -> str:
        """Give the value, for the one call that sends it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def remember_secret(value: str) -> None:
    """Have the log mask a value from now on, also where it stands in a URL."""
    if len(value) < _SHORTEST:
        return
    with _LOCK:
        for form in {value, quote(value, safe="")}:
            _KNOWN.pop(form, None)
            _KNOWN[form] = None
        while len(_KNOWN) > _MOST:
            del _KNOWN[next(iter(_KNOWN))]


def known_secrets() -> list[str]:
    """Give the values of all secrets this process has seen, the longest first, so that one inside another leaves nothing over."""
    with _LOCK:
        found = list(_KNOWN)
    return sorted(found, key=len, reverse=True)
