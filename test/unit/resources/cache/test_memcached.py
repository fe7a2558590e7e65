"""What is particular to memcached; the contract suite has the rest."""

import threading
import time

import pytest

from main.resources.cache.entries import name_value
from main.resources.cache.memcached import CONNECTIONS, LARGEST, MemcachedCache
from main.service.errors import CacheDown
from test.fakes import FakeClock
from test.faults.servers import serving


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving("memcached", tmp_path_factory.mktemp("memcached")) as found:
        yield found


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def cache(server, clock):
    found = MemcachedCache(server.address, timeout=10, clock=clock)
    yield found
    found.close()


def test_a_value_that_the_server_still_has_is_not_given_after_its_end(cache, clock):
    cache.set("key", b"value", 0.25)
    clock.advance(0.249)
    assert cache.get("key") == b"value"
    clock.advance(0.001)
    assert cache.get("key") is None
    assert cache._pools.get().clients.get(name_value("key")) is not None  # it is only the end that forbids it


def test_a_value_stays_to_the_end_of_its_last_second(cache):
    for _ in range(10):
        began = time.monotonic()
        cache.set("key", b"value", 1.5)
        time.sleep(1.4)
        found = cache.get("key")
        if time.monotonic() - began < 2:  # else the machine stood still, and the server was right to let it go
            break
    assert found == b"value"


def test_a_lock_that_the_server_still_has_is_free_after_its_end(cache, clock):
    assert cache.lock("lock", "one", 0.25)
    clock.advance(0.24)
    assert not cache.lock("lock", "two", 60)
    clock.advance(0.02)
    assert cache.lock("lock", "two", 60)


def test_the_largest_value_fits_and_one_larger_is_a_miss_without_asking(cache):
    cache.set("key", bytes(LARGEST), 60)
    assert cache.get("key") == bytes(LARGEST)
    cache.set("key", bytes(LARGEST + 1), 60)
    assert cache.get("key") is None


def test_a_name_of_several_addresses_is_tried_at_each(server):
    cache = MemcachedCache(("localhost", server.port), timeout=10)  # ::1 first, on many machines
    cache.ping()
    cache.close()


def test_connections_are_bounded_and_waiting_for_one_too(server):
    cache = MemcachedCache(server.address, timeout=0.1)
    pool = cache._pools.get()
    for _ in range(CONNECTIONS):
        assert pool.places.acquire(blocking=False)
    with pytest.raises(CacheDown) as caught:
        cache.get("key")
    assert "in use" in str(caught.value.__cause__)
    for _ in range(CONNECTIONS):
        pool.places.release()
    cache.close()


def test_more_threads_than_connections_wait_for_their_turn(cache):
    failed = []

    def use(number):
        try:
            for _ in range(20):
                cache.set(str(number), b"value", 60)
        except CacheDown as error:
            failed.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(CONNECTIONS * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(cache._pools.get().clients.client_pool.free) <= CONNECTIONS


def test_a_connection_that_the_server_closed_while_idle_is_no_loss(server, cache):
    cache.set("key", b"value", 600)
    for client in cache._pools.get().clients.client_pool.free:
        client.sock.shutdown(2)
    assert cache.get("key") == b"value"


def test_a_lock_that_others_always_take_first_is_not_taken(cache, monkeypatch):
    monkeypatch.setattr(cache, "_put", lambda *_: False)  # a race lost each time, which no timing gives for sure
    assert not cache.lock("contended", "one", 60)
