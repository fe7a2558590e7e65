"""What the caches do when their server is dead, frozen, slow, or answers nonsense: end soon, and fail nobody."""

import os
import socketserver
import threading
import time
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from main.resources.cache.memory import MemoryCache
from main.resources.cache.redis import RedisCache
from main.resources.cache.tiered import Tiered
from main.service.errors import CacheDown
from main.util.metrics import COUNTERS
from sample.ports import LOOPBACK
from sample.processes import find_free_port
from test.contract.caches import LONG, SERVED, make_tier
from test.faults.proxy import faulty
from test.faults.servers import CacheServer

CALLS = {
    "get": lambda cache: cache.get("key"),
    "set": lambda cache: cache.set("key", b"value", 30),
    "delete": lambda cache: cache.delete("key"),
    "lock": lambda cache: cache.lock("key", "one", 30),
    "unlock": lambda cache: cache.unlock("key", "one"),
    "ping": lambda cache: cache.ping(),
}
# A call may wait for its connection, and for the answers to the few questions it asks, 250 ms each; without a bound these faults last
# for minutes.
BOUND = 5.0


@pytest.fixture(params=SERVED)
def server(request, tmp_path):
    found = CacheServer(request.param, tmp_path / "server")
    found.start()
    yield found
    found.kill()


@pytest.fixture
def proxy(server):
    with faulty(server.address) as found:
        yield found


def tier_of(server, port=None, **more):
    return make_tier(server.kind, server.folder, port or server.port, **({"timeout": 0.25} | more))


def assert_down(cache):
    """Every call says so, soon."""
    for name, call in CALLS.items():
        started = time.monotonic()
        with pytest.raises(CacheDown) as caught:
            call(cache)
        assert time.monotonic() - started < BOUND, name
        assert caught.value.__cause__ is not None, name


def wait_for(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def insist(call, *arguments):
    """Give what a call gives as soon as it is in time: a single one may be late on a busy machine."""
    until = time.monotonic() + 20
    while True:
        try:
            return call(*arguments)
        except CacheDown:
            assert time.monotonic() < until
            time.sleep(0.05)


@contextmanager
def talking(answer):
    """A server that gives this answer to whatever it is asked."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            while self.request.recv(65536):
                self.request.sendall(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


# a tier alone says that it is down


@pytest.mark.parametrize("kind", SERVED)
def test_a_server_that_is_not_there(kind, tmp_path):
    assert_down(make_tier(kind, tmp_path, find_free_port(LOOPBACK), timeout=0.25))


def test_a_server_that_was_killed(server):
    cache = tier_of(server)
    insist(cache.set, "key", b"value", 30)
    server.kill()
    assert_down(cache)


def test_a_server_that_is_frozen(server):
    cache = tier_of(server)
    insist(cache.set, "key", b"value", 30)
    server.freeze()
    assert_down(cache)
    server.thaw()
    insist(cache.ping)
    cache.close()


def works(cache):
    try:
        cache.ping()
    except CacheDown:
        return False
    return True


FAULTS = {
    "a black hole": {"black_hole": True},
    "a reset": {"reset": True},
    "a slow network": {"latency": 3.0},
    "an answer byte by byte": {"slicing": 1, "slice_pause": 0.2},
    "an answer cut off": {"limit": 3},
    "an answer cut off and left open": {"limit": 3, "slow_close": 3.0},
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_a_way_to_the_server_that_is_broken(server, proxy, faults):
    cache = tier_of(server, proxy.port)
    insist(cache.set, "key", b"value", 30)
    proxy.set(**faults)
    if "limit" in faults:
        proxy.cut()
    assert_down(cache)
    proxy.set()
    assert insist(cache.get, "key") in {b"value", None}
    cache.close()


def test_a_large_value_that_drips_ends_by_the_time_of_one_answer(server, proxy):
    value = os.urandom(200_000)
    tier_of(server, timeout=LONG).set("key", value, 60)
    cache = tier_of(server, proxy.port)
    insist(cache.ping)
    proxy.set(bandwidth=5_000)  # 40 seconds, never silent for long
    started = time.monotonic()
    with pytest.raises(CacheDown):
        cache.get("key")
    assert time.monotonic() - started < BOUND
    cache.close()


@pytest.mark.parametrize("kind", SERVED)
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"VALUE x y z\r\n",
        b"VALUE other 0 2\r\nab\r\nEND\r\n",
        b"VALUE key 0 99999999999\r\n",
        b"SERVER_ERROR out of memory\r\n",
        b"$abc\r\n",
        b"$99999999999\r\nx",
        b"-OOM command not allowed\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"\xff\xfe\x00" * 50 + b"\r\n",
    ],
)
def test_a_server_that_talks_nonsense(kind, answer, tmp_path):
    with talking(answer) as port:
        cache = make_tier(kind, tmp_path, port, timeout=0.25)
        started = time.monotonic()
        with pytest.raises(CacheDown):
            cache.get("key")
        with pytest.raises(CacheDown):
            cache.lock("key", "one", 1)
        assert time.monotonic() - started < BOUND
        cache.close()


def test_a_server_that_was_started_again_is_found_by_every_connection(server):
    cache = tier_of(server, timeout=LONG)
    barrier = threading.Barrier(8)

    def use():
        barrier.wait()
        for _ in range(20):
            cache.get("key")

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.kill()
    server.start()
    cache.set("key", b"value", 30)
    assert cache.get("key") == b"value"
    cache.close()


def test_no_error_tells_a_password():
    with talking(b"-WRONGPASS invalid username-password pair\r\n") as port:
        with pytest.raises(CacheDown) as caught:
            RedisCache(f"redis://:hunter2@127.0.0.1:{port}").ping()
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


# behind memory nobody notices


@pytest.fixture
def tiered(server, proxy):
    cache = Tiered(MemoryCache(), tier_of(server, proxy.port))
    yield cache
    cache.close()


def reaches(tiered, direct):
    """Whether what is set gets to the server; a single call may be late on a busy machine."""
    tiered.set("new", b"value", 60)
    return direct.get("new") is not None


def lose(cache):
    """Ask until the shared tier is known to be lost."""
    cache.get("anything")
    with pytest.raises(CacheDown):
        cache.ping()


def test_a_lost_tier_is_a_miss_and_what_is_set_meanwhile_is_given(tiered, proxy):
    tiered.set("before", b"old", 60)
    proxy.set(black_hole=True)
    time.sleep(1.1)  # until it is no longer remembered near
    assert tiered.get("before") is None
    tiered.set("key", b"value", 60)
    time.sleep(1.1)
    assert tiered.get("key") == b"value"
    tiered.delete("key")
    assert tiered.get("key") is None
    assert tiered.lock("key", "one", 60)
    assert not tiered.lock("key", "two", 60)
    tiered.unlock("key", "one")
    assert tiered.lock("key", "two", 60)


def test_a_lost_tier_costs_its_time_once_and_not_with_every_call(tiered, proxy):
    proxy.set(black_hole=True)
    lose(tiered)
    before = COUNTERS.snapshot()
    started = time.monotonic()
    for number in range(2000):
        tiered.get(f"key {number}")
    spent, after = time.monotonic() - started, COUNTERS.snapshot()
    failed = after["cache.tier_failures"] - before["cache.tier_failures"]
    assert spent < BOUND
    assert failed <= 1 + spent  # one try a second at most, where 2000 would take eight minutes
    assert after["cache.tier_skipped"] - before.get("cache.tier_skipped", 0) == 2000 - failed


def test_losing_and_finding_the_tier_is_said_once_each(tiered, proxy):
    with capture_logs() as logs:
        tiered.set("key", b"value", 60)
        proxy.set(reset=True)
        for number in range(20):
            tiered.get(f"key {number}")
        proxy.set()
        wait_for(lambda: tiered.get("other") is None and works(tiered))
        tiered.get("key")
    assert [line["event"] for line in logs] == ["cache.tier_lost", "cache.tier_found"]
    assert "does not answer" in logs[0]["error"]


def test_a_frozen_server_is_found_again_without_a_restart(server):
    tiered = Tiered(MemoryCache(), tier_of(server))
    direct = tier_of(server, timeout=LONG)
    tiered.set("key", b"value", 600)
    server.freeze()
    lose(tiered)
    server.thaw()
    wait_for(lambda: tiered.get("key") == b"value" and works(tiered))
    wait_for(lambda: reaches(tiered, direct))
    tiered.close()


def test_a_server_started_again_is_found_without_a_restart(server):
    tiered = Tiered(MemoryCache(), tier_of(server))
    direct = tier_of(server, timeout=LONG)
    tiered.set("key", b"value", 600)
    server.kill()
    lose(tiered)
    server.start()
    wait_for(lambda: works(tiered))
    wait_for(lambda: reaches(tiered, direct))
    tiered.close()


def test_what_was_changed_while_the_tier_was_lost_does_not_come_back_old(server, proxy, tiered):
    other = Tiered(MemoryCache(), tier_of(server, timeout=LONG), near_seconds=0.05)
    for key in ("deleted", "replaced", "left"):
        other.set(key, b"old", 600)
    proxy.set(reset=True)
    lose(tiered)
    tiered.delete("deleted")
    tiered.set("replaced", b"new", 600)
    proxy.set()
    wait_for(lambda: works(tiered))
    tiered.get("anything")
    time.sleep(0.1)
    assert [other.get(key) for key in ("deleted", "replaced", "left")] == [None, None, b"old"]
    assert [tiered.get(key) for key in ("deleted", "replaced", "left")] == [None, b"new", b"old"]


def test_many_threads_meet_a_frozen_server_and_none_fails_or_waits_long(server):
    tiered = Tiered(MemoryCache(), tier_of(server))
    server.freeze()
    slowest, lock = [0.0], threading.Lock()

    def use(number):
        for step in range(50):
            started = time.monotonic()
            tiered.set(f"{number} {step}", b"value", 60)
            assert tiered.get(f"{number} {step}") == b"value"
            with lock:
                slowest[0] = max(slowest[0], time.monotonic() - started)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(16)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slowest[0] < BOUND
    assert time.monotonic() - started < 2 * BOUND
    tiered.close()


# the folder


def test_a_folder_that_is_a_file_is_down_and_found_when_it_is_none_any_more(tmp_path):
    (tmp_path / "cache").write_text("I was here first")
    cache = make_tier("file", tmp_path)
    for call in CALLS.values():
        with pytest.raises(CacheDown):
            call(cache)
    tiered = Tiered(MemoryCache(), cache)
    tiered.open()
    tiered.set("key", b"value", 60)
    assert tiered.get("key") == b"value"
    (tmp_path / "cache").unlink()
    wait_for(lambda: works(tiered))
    tiered.set("key", b"value", 60)
    assert cache.get("key") is not None
