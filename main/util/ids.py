"""Identifiers that are safe to log, to send and to compare."""

from __future__ import annotations

import re
import uuid

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


def new_id() -> str:
    """Give a random identifier of 32 hexadecimal digits."""
    return uuid.uuid4().hex


def sane_request_id(offered: str | None) -> str:
    """Keep a caller's request id when it is 1..64 of ``A-Z a-z 0-9 . _ -``; otherwise give a new one."""
    return offered if offered and _SANE_REQUEST_ID.match(offered) else new_id()
