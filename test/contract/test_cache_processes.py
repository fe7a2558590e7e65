"""What the shared caches must do between processes, and all of them across a fork."""

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from test.contract.caches import ALL, ALL_SHARED, SHARED, make_any

# Children of a fork have the cache as it was made before it: exactly what a worker of a preloading server has.
FORK = multiprocessing.get_context("fork")
PROCESSES = 8


@pytest.fixture
def cache(request, ports, tmp_path):
    name = getattr(request, "param", "file")
    made = make_any(name, tmp_path, ports(name.removeprefix("tiered over ")))
    yield made
    made.close()


@pytest.fixture
def key():
    return uuid.uuid4().hex


def run_all(work, *arguments):
    """Run this in eight processes and wait for all to end well."""
    processes = [FORK.Process(target=work, args=(number, *arguments)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * PROCESSES


def in_child(work):
    """Run this in a fork that does not touch the test's own state, and give how it ended."""
    child = os.fork()
    if child == 0:
        sys.settrace(None)  # coverage has a lock of its own, which another thread may have held at the fork
        ended = 1
        try:
            ended = 0 if work() else 2
        finally:
            os._exit(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def set_one(number, cache, key):
    cache.set(f"{key} {number}", str(number).encode(), 30)


@pytest.mark.parametrize("cache", ALL_SHARED, indirect=True)
def test_processes_see_each_others_values(cache, key):
    run_all(set_one, cache, key)
    assert [cache.get(f"{key} {number}") for number in range(PROCESSES)] == [str(n).encode() for n in range(PROCESSES)]


@pytest.mark.parametrize("cache", ALL_SHARED, indirect=True)
def test_what_another_process_deleted_is_gone_a_second_later(cache, key):
    cache.set(key, b"value", 60)
    assert cache.get(key) == b"value"
    assert in_child(lambda: cache.delete(key) is None) == 0
    time.sleep(1.1)
    assert cache.get(key) is None


def count_up(number, cache, key, path):
    """Add to a number in a file forty times, each time under the lock."""
    owner = f"{number} {os.getpid()}"
    for _ in range(40):
        while not cache.lock(key, owner, 30):
            time.sleep(random.uniform(0, 0.005))
        before = int(path.read_text())
        time.sleep(random.uniform(0, 0.001))
        path.write_text(str(before + 1))
        cache.unlock(key, owner)


@pytest.mark.parametrize("cache", ALL_SHARED, indirect=True)
def test_a_lock_excludes_all_other_processes(cache, key, tmp_path):
    path = tmp_path / "number"
    path.write_text("0")
    run_all(count_up, cache, key, path)
    assert path.read_text() == str(PROCESSES * 40)


def take_over(number, cache, key, barrier, taken):
    for round_ in range(25):
        barrier.wait(60)
        if cache.lock(f"{key} {round_}", str(number), 60):
            with taken.get_lock():
                taken[round_] += 1


@pytest.mark.parametrize("cache", ALL_SHARED, indirect=True)
def test_a_lock_whose_time_is_over_goes_to_one_of_many_that_ask_at_once(cache, key):
    for round_ in range(25):
        cache.lock(f"{key} {round_}", "a dead owner", 0.05)
    time.sleep(0.1)
    barrier, taken = FORK.Barrier(PROCESSES), FORK.Array("i", 25)
    run_all(take_over, cache, key, barrier, taken)
    assert list(taken) == [1] * 25


def hold(cache, key, ready):
    assert cache.lock(key, "the child", 1.0)
    ready.set()
    time.sleep(600)


@pytest.mark.parametrize("cache", ALL_SHARED, indirect=True)
def test_the_lock_of_a_killed_owner_is_free_when_its_seconds_are_over(cache, key):
    ready = FORK.Event()
    owner = FORK.Process(target=hold, args=(cache, key, ready))
    owner.start()
    assert ready.wait(60)
    os.kill(owner.pid, signal.SIGKILL)
    owner.join()
    until = time.monotonic() + 20
    while not cache.lock(key, "the next", 30):
        assert time.monotonic() < until
        time.sleep(0.02)


def hammer(number, cache, key):
    """Read while others write: a value is one of those that were written, whole."""
    good = {None} | {bytes([n]) * 100_000 for n in range(PROCESSES)}
    for _ in range(60):
        cache.set(key, bytes([number]) * 100_000, 30)
        assert cache.get(key) in good


@pytest.mark.parametrize("cache", SHARED, indirect=True)
def test_no_value_is_read_half_written(cache, key):
    run_all(hammer, cache, key)


@pytest.mark.parametrize("cache", ALL, indirect=True)
def test_a_cache_made_before_a_fork_works_on_both_sides(cache, key):
    def use():
        mine = f"{key} {os.getpid()}"
        cache.set(mine, b"value", 30)
        return cache.get(mine) == b"value" and cache.lock(mine, "one", 30)

    assert in_child(use) == 0
    assert use()
    cache.set(key, b"parent", 30)
    assert in_child(lambda: use() and (cache.close() or True)) == 0  # now with connections that the parent has open
    assert cache.get(key) == b"parent"
    assert use()


@pytest.mark.parametrize("cache", ALL, indirect=True)
def test_a_fork_in_the_middle_of_the_work_of_many_threads_leaves_a_working_cache(cache, key):
    stop = threading.Event()

    def work(number):
        while not stop.is_set():
            cache.set(f"{key} {number}", b"x" * 1000, 30)
            cache.get(f"{key} {number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()

    def use():
        signal.alarm(60)
        cache.set(key, b"child", 30)
        return cache.get(key) == b"child"

    ended = [in_child(use) for _ in range(10)]
    stop.set()
    for thread in threads:
        thread.join()
    assert ended == [0] * 10


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_made_or_connected_before_it_is_needed(name, tmp_path):
    def count():
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    cache = make_any(name, tmp_path, 1)
    assert count() == before
    assert list(tmp_path.iterdir()) == []
    cache.close()
