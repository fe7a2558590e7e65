"""The allocator's settings, in a process of its own: they are for good."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
from types import SimpleNamespace

import pytest

from main.util import heap

CROWD = """
import sys, threading
if sys.argv[1] == "small":
    from main.util.heap import keep_heap_small
    assert keep_heap_small()
gate = threading.Barrier(8)
def hold():
    for _ in range(6):
        gate.wait()
        pieces = [bytes(65536) for _ in range(128)]
        whole = b"".join(pieces)
        gate.wait()
        keep = bytearray(3000)
threads = [threading.Thread(target=hold) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="The C library here is not glibc")
def test_what_many_threads_held_goes_back_to_the_system():
    # What is left depends on which threads met in which heap at the end: in one run in twenty, nearly as much as without.
    assert min(measure("small") for _ in range(5)) < measure("usual") * 0.75


def measure(choice):
    command = [sys.executable, "-c", CROWD, choice]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_another_c_library_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda _: SimpleNamespace())
    assert heap.keep_heap_small() is False


def test_what_lasts_is_looked_at_no_more():
    lasting = [[]]
    heap.spare_the_lasting()
    try:
        assert not any(one is lasting for one in gc.get_objects())
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
