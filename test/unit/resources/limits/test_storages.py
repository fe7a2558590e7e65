"""Which storages count."""

import pytest
from limits.storage import MemcachedStorage, RedisStorage

from main.resources.limits.files import FileStorage
from main.resources.limits.storages import make_storages


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


def test_memcached_has_its_usual_port(tmp_path):
    assert make_storages(tmp_path, "memcached://[::1]")[0].hosts == [("::1", 11211)]
