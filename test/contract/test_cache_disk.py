"""What the cache in a folder does when its disk is full: say that it is down, and make room."""

import contextlib
import os
import struct
import subprocess
import threading

import pytest

from main.service.errors import CacheDown
from test.contract.caches import make_tier


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own, of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk):
    """Leave no room for a single byte more."""
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def settle():
    """Wait for the sweeps under way."""
    for thread in threading.enumerate():
        if thread.name == "cache-sweep":
            thread.join(20)
            assert not thread.is_alive()


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_on_a_full_disk_a_value_that_cannot_be_written_makes_room_of_what_is_over(small_disk):
    make_tier("file", small_disk).set("over", os.urandom(150_000), 60)
    settle()
    fill(small_disk)
    (over,) = files_in(small_disk / "cache" / "values")
    with over.open("r+b") as file:
        file.write(struct.pack("I", 1))  # cachelib's second at which it ends
    for lock in files_in(small_disk / "cache" / "locks"):
        lock.unlink()  # of the last sweep
    fill(small_disk)
    cache = make_tier("file", small_disk)
    with pytest.raises(CacheDown, match="No space left"):
        cache.set("key", os.urandom(100_000), 60)
    settle()
    assert files_in(small_disk / "cache") == []
    cache.set("key", b"value", 60)
    assert cache.get("key") == b"value"
