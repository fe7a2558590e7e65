"""The counters of one machine: what the contract does not say."""

import fcntl
import os
import time
from contextlib import ExitStack, contextmanager

import pytest

from main.resources.limits import files
from main.resources.limits.files import MOST, SHARDS, FileStorage


class Now:
    seconds = 1_000_000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def storage(tmp_path, now):
    return FileStorage(tmp_path / "limits", now=now)


@contextmanager
def held(path):
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def test_a_window_ends_when_it_was_said_at_its_begin_however_much_is_counted(storage, now):
    assert [storage.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    now.seconds += 59
    assert storage.incr("a", 60) == 4
    assert storage.get_expiry("a") == now.seconds + 1
    now.seconds += 1
    assert (storage.get("a"), storage.get_expiry("a")) == (0, now.seconds)
    assert storage.incr("a", 60) == 1


def test_a_clock_that_was_set_back_keeps_no_window_open_for_longer_than_windows_are(storage, now):
    storage.incr("a", 60)
    now.seconds -= 86_400
    assert storage.incr("a", 60) == 2
    assert storage.get_expiry("a") == now.seconds + 60


def test_files_are_private_and_bounded_in_number(storage, tmp_path):
    for number in range(2_000):
        storage.incr(f"key {number}", 60)
    paths = list((tmp_path / "limits").iterdir())
    assert len(paths) <= SHARDS
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert (tmp_path / "limits").stat().st_mode & 0o777 == 0o700


def test_places_of_windows_that_have_ended_are_used_again(storage, now, tmp_path):
    for _ in range(5):
        for number in range(500):
            storage.incr(f"{now.seconds} {number}", 10)
        now.seconds += 10
    assert sum(path.stat().st_size for path in (tmp_path / "limits").iterdir()) <= 2 * 500 * 32


def test_a_full_file_gives_up_what_would_end_first(storage, now, monkeypatch):
    monkeypatch.setattr(files, "SHARDS", 1)
    monkeypatch.setattr(files, "MOST", 3)
    for key, seconds in (("long", 100), ("short", 10), ("middle", 50), ("new", 60)):
        storage.incr(key, seconds)
    assert [storage.get(key) for key in ("long", "short", "middle", "new")] == [1, 0, 1, 1]


def test_many_keys_in_one_file_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SHARDS", 1)
    storage = FileStorage(tmp_path)
    for number in range(300):
        for _ in range(number % 3 + 1):
            storage.incr(str(number), 60)
    assert [storage.get(str(number)) for number in range(300)] == [number % 3 + 1 for number in range(300)]
    storage.clear("299")
    assert [storage.get(str(number)) for number in (298, 299)] == [2, 0]
    assert MOST > 300


def test_a_file_that_something_else_was_written_into_counts_on(storage, tmp_path):
    storage.incr("a", 60)
    [path] = (tmp_path / "limits").iterdir()
    path.write_bytes(b"\xff" * 77)
    assert storage.incr("a", 60) == 1
    assert storage.incr("a", 60) == 2


def test_a_file_that_a_stopped_process_holds_is_waited_for_only_so_long(storage, tmp_path):
    storage.incr("a", 60)
    [path] = (tmp_path / "limits").iterdir()
    begun = time.monotonic()
    with held(path), pytest.raises(OSError, match="holds"):
        storage.incr("a", 60)
    assert time.monotonic() - begun < 5
    assert storage.incr("a", 60) == 2


def test_a_file_that_is_held_for_a_moment_is_waited_for(storage, tmp_path, monkeypatch):
    storage.incr("a", 60)
    [path] = (tmp_path / "limits").iterdir()
    with ExitStack() as holder:
        holder.enter_context(held(path))
        monkeypatch.setattr(time, "sleep", lambda _: holder.close())  # the other one ends while this one waits
        assert storage.incr("a", 60) == 2


def test_the_largest_number_stays(storage):
    assert [storage.incr("a", 60, 2**63) for _ in range(2)] == [2**63] * 2
    assert storage.get("a") == 2**63


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    storage = FileStorage(tmp_path / "file" / "limits")
    assert storage.check() is False
    with pytest.raises(OSError, match="Not a directory"):
        storage.incr("a", 60)


def test_a_window_can_be_ended_also_where_there_is_none(storage, now):
    storage.incr("a", 60)
    storage.incr("b", 60)
    for key in ("a", "nobodys"):
        storage.clear(key)
    assert [storage.get(key) for key in ("a", "b", "nobodys")] == [0, 1, 0]
    assert storage.get_expiry("a") == now.seconds
    assert storage.incr("a", 60) == 1


def test_all_windows_can_be_ended_at_once(storage, tmp_path):
    storage.incr("a", 60)
    (tmp_path / "limits" / "notes.txt").write_text("not a counter")
    assert (storage.reset(), storage.reset()) == (1, 0)
    assert storage.get("a") == 0
    assert (tmp_path / "limits" / "notes.txt").exists()


def test_a_folder_that_can_be_used_is_told(storage):
    assert storage.check() is True


def test_a_digest_that_stands_across_places_names_no_counter(storage, tmp_path):
    storage.incr("a", 60)
    [path] = (tmp_path / "limits").iterdir()
    digest = path.read_bytes()[:16]
    path.write_bytes(bytes(16) + digest + bytes(32))
    assert storage.get("a") == 0
    assert [storage.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    assert path.read_bytes().count(digest) in {1, 2}
