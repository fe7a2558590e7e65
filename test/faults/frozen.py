"""Processes that are stopped, and go on later as if nothing had been."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

PATIENCE = 30.0


def freeze(pid: int) -> None:
    """Stop a process, and return when every thread of it has stopped: that is some while after the signal was sent."""
    os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + PATIENCE
    while not all(_is_stopped(thread) for thread in Path(f"/proc/{pid}/task").iterdir()):
        assert time.monotonic() < until, f"process {pid} does not stop"
        time.sleep(0.001)


def thaw(pid: int) -> None:
    """Let a stopped process go on."""
    os.kill(pid, signal.SIGCONT)


def _is_stopped(thread: Path) -> bool:
    # proc(5): the state stands behind the command, which is in brackets and may hold some itself.
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"
