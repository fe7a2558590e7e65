"""What is particular to the cache of files; the contract suite has the rest."""

import os
import pickle
import resource
import stat
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from main.resources.cache.file import _SWEEP, FileCache, _Bytes
from main.service.errors import CacheDown
from test.fakes import FakeClock


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def settle():
    """Wait for the sweeps under way."""
    for thread in threading.enumerate():
        if thread.name == "cache-sweep":
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def cache(tmp_path):
    found = FileCache(tmp_path / "cache")
    found.set("first", b"", 60)
    settle()  # no sweep comes in between any more
    found.delete("first")
    return found


def test_all_folders_and_files_are_ours_alone(cache, tmp_path):
    cache.set("key", b"value", 60)
    cache.lock("key", "one", 60)
    cache.ping()
    folders = [tmp_path / "cache", tmp_path / "cache" / "values", tmp_path / "cache" / "locks"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files_in(tmp_path)} == {0o600}


def test_nothing_in_it_is_a_pickle(cache, tmp_path):
    cache.set("key", b"value", 60)
    cache.set("empty", b"", 60)
    cache.lock("key", "one", 60)
    cache.ping()
    found = files_in(tmp_path)
    assert len(found) >= 4
    assert all(pickle.dumps(b"", protocol).endswith(b".") for protocol in range(pickle.HIGHEST_PROTOCOL + 1))
    assert [path for path in found if path.read_bytes().endswith(b".")] == []  # as a pickle of every protocol does


def test_a_pickle_that_somebody_put_there_is_never_read(cache, tmp_path):
    cache.set("key", b"value", 60)
    bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
    for path in files_in(tmp_path / "cache" / "values"):
        path.write_bytes(path.read_bytes()[:4] + bomb)
    assert cache.get("key") is None
    cache.ping()
    assert not (tmp_path / "exploded").exists()
    pickle.loads(bomb)
    assert (tmp_path / "exploded").exists()  # so it would have been seen


def test_its_serializer_leaves_bytes_as_they_are():
    assert _Bytes().loads(_Bytes().dumps(b"\x80\x04N.")) == b"\x80\x04N."


@pytest.mark.parametrize("damage", [b"", b"\1", b"\xff" * 3, b"\xff" * 500])
def test_a_damaged_file_is_a_miss(cache, tmp_path, damage):
    cache.set("key", b"value", 60)
    for path in files_in(tmp_path / "cache" / "values"):
        path.write_bytes(damage)
    assert cache.get("key") is None
    cache.set("key", b"value", 60)
    assert cache.get("key") == b"value"


def test_a_value_is_given_to_the_end_of_its_time_and_no_longer(tmp_path):
    clock = FakeClock(now=FakeClock().now())
    cache = FileCache(tmp_path / "cache", clock=clock)
    cache.set("key", b"value", 1.9)
    clock.advance(1.899)
    assert cache.get("key") == b"value"
    clock.advance(0.001)
    assert cache.get("key") is None


def test_a_folder_that_was_opened_to_others_is_refused_once_and_closed_again(cache, tmp_path):
    cache.set("key", b"value", 60)
    (tmp_path / "cache").chmod(0o755)
    with pytest.raises(CacheDown, match="open to others"):
        cache.get("key")
    assert cache.get("key") == b"value"
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_stays_refused(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    for _ in range(2):
        with pytest.raises(CacheDown, match="another user"):
            cache.get("key")
    with pytest.raises(CacheDown):
        FileCache(tmp_path / "cache").open()


def test_a_folder_that_is_removed_is_made_again(cache, tmp_path):
    cache.set("key", b"value", 60)
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    with pytest.raises(CacheDown):
        cache.get("key")
    cache.set("key", b"value", 60)
    assert cache.get("key") == b"value"


@pytest.mark.parametrize("use", ["set", "ping", "lock", "delete"])
def test_a_folder_that_cannot_be_written_to_is_down(cache, tmp_path, use):
    cache.set("key", b"value", 60)
    for path in (tmp_path / "cache" / "values", tmp_path / "cache" / "locks"):
        path.rename(path.with_name("away"))
        path.write_text("no folder")
        (tmp_path / "cache" / "away").rename(tmp_path / path.name)
    calls = {
        "set": lambda: cache.set("key", b"value", 60),
        "ping": cache.ping,
        "lock": lambda: cache.lock("key", "one", 60),
        "delete": lambda: cache.delete("key"),
    }
    with pytest.raises(CacheDown):
        calls[use]()


def test_sweeping_removes_what_is_over_and_keeps_within_its_size(tmp_path):
    cache = FileCache(tmp_path / "cache", size=5_000)
    for number in range(20):
        cache.set(str(number), bytes(1000), 60)
    settle()
    cache.lock("dead", "one", 0)
    cache.sweep()
    assert 0 < len(files_in(tmp_path / "cache" / "values")) <= 5
    assert len(files_in(tmp_path / "cache" / "locks")) == 1  # of the first sweep, which its process still holds


def test_one_process_sweeps_now_and_then_while_values_are_set(tmp_path):
    cache = FileCache(tmp_path / "cache", size=0)
    cache.set("key", b"value", 60)
    settle()
    assert cache.get("key") is None
    cache.set("key", b"value", 60)
    settle()
    assert cache.get("key") == b"value"


def test_while_another_process_sweeps_none_does(tmp_path):
    cache = FileCache(tmp_path / "cache", size=0)
    assert cache.lock(_SWEEP, "another process", 60)
    cache.set("key", b"value", 60)
    settle()
    assert cache.get("key") == b"value"


@contextmanager
def no_file_longer_than(size):
    """Let this process write no byte of any file beyond this one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_could_not_be_written_whole_leaves_nothing_and_keeps_what_was_there(cache, tmp_path):
    cache.set("key", b"value", 60)
    before = files_in(tmp_path)
    with no_file_longer_than(50):
        for _ in range(20):
            with pytest.raises(CacheDown, match="File too large"):
                cache.set("key", bytes(1000), 60)
    assert files_in(tmp_path) == before
    assert cache.get("key") == b"value"


@pytest.mark.parametrize("size", [50, 10], ids=["with room for a lock", "without room for a lock"])
def test_a_value_that_cannot_be_written_has_the_folder_swept(tmp_path, size):
    FileCache(tmp_path / "cache").set("over", b"value", 60)
    settle()
    (path,) = files_in(tmp_path / "cache" / "values")
    os.truncate(path, 0)  # as good as over
    (lock,) = files_in(tmp_path / "cache" / "locks")
    lock.unlink()
    with no_file_longer_than(size):
        with pytest.raises(CacheDown):
            FileCache(tmp_path / "cache").set("key", bytes(1000), 60)
        settle()
    assert files_in(tmp_path / "cache" / "values") == []


def test_setting_a_value_does_not_wait_for_the_sweep(tmp_path, monkeypatch):
    swept, may_end = threading.Event(), threading.Event()

    def dawdle(*_):
        assert may_end.wait(20)
        swept.set()

    monkeypatch.setattr("main.resources.cache.file.sweep_values", dawdle)
    cache = FileCache(tmp_path / "cache")
    cache.set("key", b"value", 60)
    assert cache.get("key") == b"value"
    assert not swept.is_set()
    may_end.set()
    settle()
    assert swept.is_set()
