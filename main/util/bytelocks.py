"""Locks on single bytes of an open file: the kernel frees them when the file is closed, and so when the process dies.

They belong to the open file, not to the process (fcntl(2), open file description locks): whoever opens the file anew is somebody else.
"""

from __future__ import annotations

import fcntl
import os
import struct

_FLOCK = struct.Struct("hhqqi4x")  # of Linux with 64-bit file offsets: type, whence, start, length, process


def try_lock_byte(file: int, place: int) -> bool:
    """Lock the byte at this place, which need not be there; False while another holds it.

    Raises:
        OSError: the file system has no such locks.
    """
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))
    except BlockingIOError:
        return False
    return True


def unlock_byte(file: int, place: int) -> None:
    """Free the byte."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, place, 1, 0))
