"""What every cache must do; processes and faults have files of their own."""

import os
import threading
import time
import uuid

import pytest

from test.contract.caches import ALL, make_any

KEYS = {
    "empty": "",
    "spaces and newlines": "a b\r\nset x 0 0 1\r\n\t",
    "unicode": "lämp 💡 مصباح",
    "half a character": "\ud800",
    "nothing": "\0",
    "a path": "../../etc/passwd",
    "a command": "flush_all",
    "long": "k" * 10_000,
}


@pytest.fixture(params=ALL)
def cache(request, ports, tmp_path):
    made = make_any(request.param, tmp_path, ports(request.param.removeprefix("tiered over ")))
    made.open()
    yield made
    made.close()


@pytest.fixture
def key():
    """A key that no other test has used on the same server."""
    return uuid.uuid4().hex


def test_what_was_never_set_is_a_miss(cache, key):
    assert cache.get(key) is None


def test_what_was_set_is_given(cache, key):
    cache.set(key, b"value", 30)
    assert cache.get(key) == b"value"
    assert cache.get(key + "x") is None


def test_a_later_value_replaces_an_earlier_one(cache, key):
    cache.set(key, b"a long first value", 30)
    cache.set(key, b"second", 30)
    assert cache.get(key) == b"second"


def test_what_was_deleted_is_a_miss_and_deleting_nothing_is_harmless(cache, key):
    cache.set(key, b"value", 30)
    cache.delete(key)
    cache.delete(key)
    assert cache.get(key) is None


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.0])
def test_a_value_is_not_given_after_its_time(cache, key, seconds):
    cache.set(key, b"value", seconds)
    time.sleep(seconds + 0.02)
    assert cache.get(key) is None


def test_a_value_stays_for_its_time_however_short_the_one_before_was(cache, key):
    cache.set(key, b"short", 0.05)
    cache.set(key, b"long", 30)
    time.sleep(0.1)
    assert cache.get(key) == b"long"


def test_a_short_time_ends_a_long_one(cache, key):
    cache.set(key, b"long", 30)
    cache.set(key, b"short", 0.05)
    time.sleep(0.1)
    assert cache.get(key) is None


@pytest.mark.parametrize("seconds", [0, -1.5, float("nan")])
def test_a_value_for_no_time_at_all_is_a_miss_and_drops_the_one_before(cache, key, seconds):
    cache.set(key, b"before", 30)
    cache.set(key, b"value", seconds)
    assert cache.get(key) is None


@pytest.mark.parametrize("seconds", [31 * 24 * 3600, 1e12, float("inf")])
def test_a_value_may_be_meant_to_stay_for_ever(cache, key, seconds):
    cache.set(key, b"value", seconds)
    assert cache.get(key) == b"value"


@pytest.mark.parametrize(
    "value",
    [b"", b"\0", bytes(range(256)), b"END\r\n", b"$-1\r\n", b"\x80\x04N.", os.urandom(400_000)],
    ids=["empty", "nul", "all bytes", "memcached's end", "redis's nil", "a pickle", "400 KB"],
)
def test_any_bytes_come_back_as_they_were(cache, key, value):
    cache.set(key, value, 30)
    assert cache.get(key) == value


@pytest.mark.parametrize("odd", KEYS.values(), ids=KEYS)
def test_any_key_is_a_key_of_its_own(cache, key, odd):
    cache.set(key + odd, b"mine", 30)
    cache.set(key + odd + "2", b"another's", 30)
    assert cache.get(key + odd) == b"mine"
    assert cache.lock(key + odd, "one", 30)
    assert not cache.lock(key + odd, "two", 30)
    cache.delete(key + odd)
    assert cache.get(key + odd) is None


def test_a_value_larger_than_a_tier_can_take_is_a_miss_and_never_an_error(cache, key):
    cache.set(key, b"small", 30)
    cache.set(key, bytes(40_000_000), 30)
    assert cache.get(key) in {None, bytes(40_000_000)}
    cache.set(key, b"small again", 30)
    assert cache.get(key) == b"small again"


def test_it_answers_when_pinged(cache):
    cache.ping()


def test_it_can_be_closed_twice_and_used_again(cache, key):
    cache.set(key, b"value", 30)
    cache.close()
    cache.close()
    cache.set(key, b"value", 30)
    assert cache.get(key) == b"value"


def test_threads_share_it(cache, key):
    wrong = []

    def use(number):
        for step in range(60):
            mine = f"{key} {number} {step % 7}"
            value = f"{number} {step}".encode() * 50
            cache.set(mine, value, 30)
            found = cache.get(mine)
            if found != value:
                wrong.append((mine, found))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# locks


def test_a_lock_has_one_owner(cache, key):
    assert cache.lock(key, "one", 30)
    assert not cache.lock(key, "two", 30)
    assert cache.lock(key + "x", "two", 30)


def test_a_lock_and_a_value_of_the_same_name_do_not_meet(cache, key):
    cache.set(key, b"value", 30)
    assert cache.lock(key, "one", 30)
    cache.delete(key)
    assert not cache.lock(key, "two", 30)
    cache.set(key, b"value", 30)
    cache.unlock(key, "one")
    assert cache.get(key) == b"value"


def test_a_lock_that_was_given_back_is_free(cache, key):
    assert cache.lock(key, "one", 30)
    cache.unlock(key, "one")
    cache.unlock(key, "one")
    assert cache.lock(key, "two", 30)


def test_a_stranger_cannot_give_a_lock_back(cache, key):
    assert cache.lock(key, "one", 30)
    cache.unlock(key, "two")
    assert not cache.lock(key, "two", 30)


def test_a_lock_is_free_when_its_time_is_over(cache, key):
    assert cache.lock(key, "one", 0.1)
    time.sleep(0.15)
    assert cache.lock(key, "two", 30)
    cache.unlock(key, "one")
    assert not cache.lock(key, "one", 30)


def test_its_owner_renews_a_lock(cache, key):
    assert cache.lock(key, "one", 0.3)
    assert cache.lock(key, "one", 30)
    time.sleep(0.4)
    assert not cache.lock(key, "two", 30)


def test_a_renewal_may_shorten_a_lock(cache, key):
    assert cache.lock(key, "one", 30)
    assert cache.lock(key, "one", 0.1)
    time.sleep(0.15)
    assert cache.lock(key, "two", 30)


def test_one_of_many_threads_gets_a_lock(cache, key):
    barrier, taken = threading.Barrier(16), []

    def take(number):
        barrier.wait()
        if cache.lock(key, str(number), 30):
            taken.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
