"""Locks as files."""

import fcntl
import threading

import pytest

from main.resources.cache.entries import seal
from main.resources.cache.filelocks import FileLocks
from main.service.errors import CacheDown
from test.fakes import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def locks(tmp_path, clock):
    return FileLocks(tmp_path, 0.1, clock)


def test_a_file_is_there_only_while_its_lock_is_held(locks, tmp_path):
    assert locks.take("key", "one", 60)
    assert len(list(tmp_path.iterdir())) == 1
    locks.give_back("key", "one")
    assert list(tmp_path.iterdir()) == []
    locks.give_back("key", "one")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_ends_exactly_with_its_time(locks, clock):
    assert locks.take("key", "one", 0.05)
    clock.advance(0.049)
    assert not locks.take("key", "two", 60)
    clock.advance(0.002)
    assert locks.take("key", "two", 60)


@pytest.mark.parametrize("damage", [b"", b"\0\0", seal(b"", FakeClock().timestamp() + 30)])
def test_a_damaged_file_is_a_free_lock(locks, tmp_path, damage):
    locks.take("key", "one", 60)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert locks.take("key", "two", 60)


@pytest.mark.parametrize("back", [5, 3600, 86400])
def test_a_lock_whose_owner_died_is_free_when_the_clock_was_set_back(locks, clock, back):
    locks.take("key", "dead", 1.8)
    clock.advance(-back)
    assert locks.take("key", "two", 60)
    assert not locks.take("key", "three", 60)  # written by the clock as it is now


def test_a_clock_that_is_only_put_right_frees_no_lock(locks, clock):
    locks.take("key", "one", 1.8)
    clock.advance(-0.9)
    assert not locks.take("key", "two", 60)
    clock.advance(2.7)
    assert locks.take("key", "two", 60)


def test_an_owner_that_lives_renews_its_lock_after_the_clock_was_set_back(locks, clock):
    locks.take("key", "one", 1.8)
    clock.advance(-3600)
    assert locks.take("key", "one", 1.8)
    assert not locks.take("key", "two", 60)


def test_sweeping_removes_what_was_taken_before_the_clock_was_set_back(locks, clock, tmp_path):
    locks.take("dead", "one", 60)
    clock.advance(-3600)
    locks.take("alive", "two", 60)
    locks.sweep()
    assert len(list(tmp_path.iterdir())) == 1
    assert not locks.take("alive", "three", 60)


def test_sweeping_removes_what_dead_owners_left(locks, clock, tmp_path):
    locks.take("dead", "one", 1)
    locks.take("alive", "two", 60)
    clock.advance(2)
    locks.sweep()
    assert len(list(tmp_path.iterdir())) == 1
    assert not locks.take("alive", "three", 60)


def test_a_frozen_process_in_the_middle_of_a_lock_is_waited_for_in_bounded_time_and_not_swept(locks, tmp_path):
    locks.take("key", "one", 0)
    (path,) = tmp_path.iterdir()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(CacheDown, match="keeps a lock's file"):
            locks.take("key", "two", 60)
        locks.sweep()
        assert path.exists()
    assert locks.take("key", "two", 60)


def test_a_file_that_is_removed_while_somebody_waits_for_it_is_made_anew(locks, tmp_path):
    waiting = FileLocks(tmp_path, 10, FakeClock())
    for _ in range(5):
        locks.take("key", "one", 60)
        (path,) = tmp_path.iterdir()
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            taken = []
            waiter = threading.Thread(target=lambda taken=taken: taken.append(waiting.take("key", "two", 60)))
            waiter.start()
            path.unlink()
        waiter.join()
        assert taken == [True]
        assert not locks.take("key", "one", 60)
        waiting.give_back("key", "two")
