"""Which storages count."""

import pytest
from limits.storage import MemcachedStorage, RedisStorage

from main.resources.limits.files import FileStorage
from main.resources.limits.storages import TIMEOUT, make_storages


def test_without_a_server_the_machine_counts_by_itself(tmp_path):
    assert [type(storage) for storage in make_storages(tmp_path, None)] == [FileStorage]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://127.0.0.1:1/2", RedisStorage),
        ("rediss://:secret@127.0.0.1:1", RedisStorage),
        ("memcached://127.0.0.1:1", MemcachedStorage),
        ("memcached://[::1]", MemcachedStorage),
    ],
)
def test_a_server_counts_and_the_machine_stands_by(tmp_path, url, kind):
    found = make_storages(tmp_path, url)
    assert [type(storage) for storage in found] == [kind, FileStorage]


def test_memcached_has_its_usual_port_unless_another_is_named(tmp_path):
    assert make_storages(tmp_path, "memcached://[::1]")[0].hosts == [("::1", 11211)]
    assert make_storages(tmp_path, "memcached://counts.example:11311")[0].hosts == [("counts.example", 11311)]


def test_no_request_waits_long_for_a_server_neither_to_reach_it_nor_for_its_answer(tmp_path):
    assert 0 < TIMEOUT <= 0.5
    memcached = make_storages(tmp_path, "memcached://127.0.0.1:1")[0]
    assert memcached.options == {"connect_timeout": TIMEOUT, "timeout": TIMEOUT}
    redis = make_storages(tmp_path, "redis://127.0.0.1:1")[0]
    asked = redis.storage.connection_pool.connection_kwargs
    assert (asked["socket_connect_timeout"], asked["socket_timeout"]) == (TIMEOUT, TIMEOUT)
