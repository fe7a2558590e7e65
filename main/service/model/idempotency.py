"""Requests that may be sent twice and have their effect once (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it is given again: status, headers, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose key it is (``scope``), what the request was (``fingerprint``), and which try of it this is (``owner``: the process and a number)."""

    scope: str
    key: str
    fingerprint: bytes
    owner: str


class Standing(StrEnum):
    """How a key stands when a request with it begins."""

    NEW = "new"
    DONE = "done"
    UNDER_WAY = "under way"
    OTHER = "other request"


@dataclass(frozen=True, slots=True)
class Begun:
    """How the key stands, and what was answered where it is done."""

    standing: Standing
    reply: Reply | None = None
