"""Memory that goes back to the system: left alone, glibc keeps a heap for every few threads, each as large as the largest answers they ever held."""

from __future__ import annotations

import ctypes

_ARENAS = (-8, 2)  # M_ARENA_MAX: as many heaps as a process needs, not eight a processor
_LARGE = (-3, 1024 * 1024)  # M_MMAP_THRESHOLD: what is larger has pages of its own, and goes with them
_TRIM = (-1, 1024 * 1024)  # M_TRIM_THRESHOLD: how much may lie idle at a heap's end


def keep_heap_small() -> bool:
    """Set the allocator of this process so; False where it is not glibc's (mallopt(3)), which stays as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(option, value) == 1 for option, value in (_ARENAS, _LARGE, _TRIM))
