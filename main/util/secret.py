"""A string that does not show itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"
_SHORTEST = 6  # characters: shorter ones stand in too many honest words
# Of the whole process on purpose: the log masks every secret there is, whoever made it.
_KNOWN: dict[str, bool] = {}  # whether each is no more than the name of a credential
_PUBLIC: list[str] = []
_MASKED: list[str] = []
_MOST = 1_000  # tokens of shops come and go; the oldest secrets are forgotten first
_LOCK = threading.Lock()


class Secret:
    """A credential: prints as ``***`` wherever it lands; :meth:`reveal` is the only way to its value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        self._remember()

    def reveal(self) -> str:
        """Give the value, for the one call that sends it."""
        return self._value

    def _remember(self) -> None:
        remember_secret(self._value)

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class SecretName(Secret):
    """The name that goes with a credential, a user's or a client's: hidden like one, except from the log where it is public anyway."""

    __slots__ = ()

    def _remember(self) -> None:
        remember_secret(self._value, is_name=True)


def remember_secret(value: str, *, is_name: bool = False) -> None:
    """Have the log mask a value from now on, also where it stands in a URL.

    ``is_name`` says that it is only a credential's name, which is not masked while it stands in a public one.
    """
    if len(value) < _SHORTEST:
        return
    with _LOCK:
        for form in {value, quote(value, safe="")}:
            _KNOWN[form] = _KNOWN.pop(form, True) and is_name
        while len(_KNOWN) > _MOST:
            del _KNOWN[next(iter(_KNOWN))]
        _choose_masked()


def publish_names(names: Iterable[str]) -> None:
    """Tell all names that are public, those of sources: masking a user's name in them would hide which source a line is about."""
    with _LOCK:
        _PUBLIC[:] = names
        _choose_masked()


def known_secrets() -> list[str]:
    """Give what the log masks of all that this process has seen, the longest first, so that one inside another leaves nothing over."""
    with _LOCK:
        return _MASKED.copy()


def _choose_masked() -> None:
    public = "\n".join(_PUBLIC)
    found = [form for form, is_name in _KNOWN.items() if not (is_name and form in public)]
    _MASKED[:] = sorted(found, key=len, reverse=True)
