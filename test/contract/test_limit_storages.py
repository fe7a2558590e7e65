"""What every storage of limits must do, the library's own memory being the pattern, and what shared ones must when processes count at once."""

import time

import pytest

from test.contract.limitstorages import ALL, SHARED, make_storage
from test.contract.processes import run_together, second_process

PROCESSES = 4


@pytest.fixture(params=ALL)
def storage(request, tmp_path, ports):
    return make_storage(request.param, tmp_path, ports(request.param))


@pytest.fixture
def key(request):
    return f"key:{request.node.name}:{time.time_ns()}".replace(" ", "")


def test_numbers_rise_by_one_and_by_more(storage, key):
    assert [storage.incr(key, 60), storage.incr(key, 60), storage.incr(key, 60, 5)] == [1, 2, 7]
    assert storage.get(key) == 7


def test_what_was_never_counted_is_nothing_and_ends_now(storage, key):
    assert storage.get(key) == 0
    assert abs(storage.get_expiry(key) - time.time()) < 5


def test_a_window_ends_as_long_after_its_begin_as_was_said(storage, key):
    begun = time.time()
    storage.incr(key, 60)
    storage.incr(key, 60)
    assert begun + 50 < storage.get_expiry(key) < time.time() + 61


def test_after_its_window_a_key_begins_anew(storage, key):
    storage.incr(key, 1, 5)
    until = time.monotonic() + 10
    while storage.get(key) and time.monotonic() < until:
        time.sleep(0.05)
    assert storage.get(key) == 0
    assert storage.incr(key, 60) == 1


def test_a_key_that_is_cleared_begins_anew_and_others_stay(storage, key):
    storage.incr(key, 60)
    storage.incr(f"{key}:other", 60)
    storage.clear(key)
    assert (storage.get(key), storage.get(f"{key}:other")) == (0, 1)
    assert storage.incr(key, 60) == 1


def test_it_says_that_it_works(storage):
    assert storage.check()


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "memcached"])
def test_all_can_be_forgotten_at_once(kind, tmp_path, ports, key):
    storage = make_storage(kind, tmp_path, ports(kind))
    storage.incr(key, 60)
    storage.reset()
    assert storage.get(key) == 0


@pytest.mark.parametrize("kind", SHARED)
def test_no_count_of_four_processes_is_lost_or_given_twice(kind, tmp_path, ports, key):
    child = ("test.contract.limitstorages", kind, tmp_path, ports(kind) or 0, key, 250)
    told = run_together(second_process(*child) for _ in range(PROCESSES))
    assert sorted(int(number) for line in told for number in line.split()) == list(range(1, 1001))
