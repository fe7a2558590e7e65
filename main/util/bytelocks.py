"""Locks on single bytes of an open file: the kernel frees them when the file is closed, and so when the process dies.

They belong to the open file, not to the process (fcntl(2), open file description locks): whoever opens the file anew is somebody else.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct

_FLOCK = struct.Struct("hhqqi4x")  # of Linux with 64-bit file offsets: type, whence, start, length, process

# Called with Python's own lock held, unlike fcntl.fcntl: this never waits, and another thread that took over meanwhile would keep the
# caller waiting for a hundred times as long as it takes.
_fcntl = ctypes.PyDLL(None, use_errno=True).fcntl


def try_lock_byte(file: int, place: int) -> bool:
    """Lock the byte at this place, which need not be there; False while another holds it.

    Raises:
        OSError: the file system has no such locks.
    """
    try:
        _set(file, fcntl.F_WRLCK, place)
    except BlockingIOError:
        return False
    return True


def unlock_byte(file: int, place: int) -> None:
    """Free the byte."""
    _set(file, fcntl.F_UNLCK, place)


def _set(file: int, kind: int, place: int) -> None:
    if _fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, place, 1, 0)) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
