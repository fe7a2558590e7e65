"""A process's memory: that it goes back to the system, and that looking for garbage in it holds nobody up."""

from __future__ import annotations

import ctypes
import gc

_ARENAS = (-8, 2)  # M_ARENA_MAX: as many heaps as a process needs, not eight a processor
_LARGE = (-3, 1024 * 1024)  # M_MMAP_THRESHOLD: what is larger has pages of its own, and goes with them
_TRIM = (-1, 1024 * 1024)  # M_TRIM_THRESHOLD: how much may lie idle at a heap's end


def keep_heap_small() -> bool:
    """Have this process's allocator give memory back; False where it is not glibc's (mallopt(3)), which stays as it is.

    Left alone, glibc keeps a heap for every few threads, each as large as the largest answers they ever held.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(option, value) == 1 for option, value in (_ARENAS, _LARGE, _TRIM))


def spare_the_lasting() -> None:
    """Keep what is there now out of all later rounds of the garbage collector (gc.freeze).

    A worker begins with 150,000 objects that stay for its whole life; a round over them holds every thread for some 80 ms.
    """
    gc.collect()
    gc.freeze()
