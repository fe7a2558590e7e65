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
