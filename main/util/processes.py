"""Which process is which, as Linux's /proc tells; elsewhere nothing is known."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START_TIME = 0, 19  # of proc(5) stat, counted behind the name in parentheses


def identify(pid: int) -> str | None:
    """Give what no other process has: the machine's boot, the pid and when it began; None where there is no such process."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[_STATE] == "Z" else f"{boot}:{pid}:{fields[_START_TIME]}"


def is_fork() -> bool:
    """Tell whether this process runs its parent's program, forked from it, rather than one of its own.

    The kernel lays out the auxiliary vector anew (with random addresses) whenever a program begins; a fork has its parent's.
    """
    try:
        return (_PROC / "self/auxv").read_bytes() == (_PROC / str(os.getppid()) / "auxv").read_bytes()
    except OSError:
        return False


def own_mark() -> str:
    """Give what tells this process from every other, for :func:`has_ended`; empty where that is not known."""
    found = identify(os.getpid())
    return f"{_namespace()}/{found}" if found else ""


def has_ended(mark: str) -> bool:
    """Tell whether the process of this mark is surely gone; False also where this process cannot know: in another container, or after a reboot."""
    namespace, _, found = mark.partition("/")
    boot, _, rest = found.partition(":")
    own = own_mark()
    if not rest or not own.startswith(f"{namespace}/{boot}:"):
        return False
    return identify(int(rest.partition(":")[0])) != found


def _namespace() -> str:
    # Pids mean something only within their namespace, and containers of one machine share its boot id.
    try:
        return str((_PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        return ""
