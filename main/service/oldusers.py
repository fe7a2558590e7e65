"""Reads the ``users.json`` of the system that Aisle takes over: a list of names with passwords in plain text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from main.service.errors import InvalidAccount

_LARGEST_ID = 2**53


@dataclass(frozen=True, slots=True)
class OldUser:
    """One entry; ``fault`` says what is wrong where it cannot be used."""

    name: str
    password: str = field(default="", repr=False)
    id: int | None = None
    role: str | None = None
    fault: str | None = None


def read_old_users(text: bytes) -> list[OldUser]:
    """Give the entries in their order; one that cannot be used says why, without its password.

    Raises:
        InvalidAccount: it is no list in JSON.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidAccount(f"The file is not JSON{where}; allowed: a list of {{id, username, password, role}}.") from None
    if not isinstance(found, list):
        raise InvalidAccount("The file holds no list; allowed: a list of {id, username, password, role}.")
    return [_read(number, entry) for number, entry in enumerate(found, 1)]


def _read(number: int, entry: Any) -> OldUser:
    if not isinstance(entry, dict):
        return OldUser(f"entry {number}", fault="is no mapping with username and password")
    name, password, role, wanted = (entry.get(key) for key in ("username", "password", "role", "id"))
    if not isinstance(name, str) or not name:
        return OldUser(f"entry {number}", fault="has no username")
    if not isinstance(password, str) or not password:
        return OldUser(name, fault="has no password")
    if role is not None and not isinstance(role, str):
        return OldUser(name, fault="has a role that is no text")
    whole = isinstance(wanted, int) and not isinstance(wanted, bool) and 0 < wanted <= _LARGEST_ID
    return OldUser(name, password, wanted if whole else None, role)
