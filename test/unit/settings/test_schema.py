"""The rules of config.yml that concern more than one key."""

import pytest

from main.settings.schema import ConfigSchema
from main.util.secret import Secret


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("store: {url: 'sqlite:////abs/a.db'}", True),
        ("store: {url: 'sqlite://'}", False),
        ("store: {url: 'mysql://a'}", False),
        ("tasks: {url: 'mongodb://h/db'}", True),
        ("tasks: {url: 'mongodb://a:1,b:2/db?replicaSet=x'}", True),
        ("tasks: {url: 'mongodb+srv://cluster/db'}", True),
        ("tasks: {url: 'postgresql://aisle@db:5432/tasks?sslmode=require'}", True),
        ("tasks: {url: 'postgresql://aisle:secret@db/tasks'}", False),
        ("tasks: {url: '${R}'}", False),
        ("tasks: {url: 'postgresql:///x'}", False),
        ("tasks: {url: 'mongodb://'}", False),
        ("tasks: {url: 'sqlite://'}", False),
        ("tasks: {url: 5}", False),
        ("tasks: {rules: {quarantine: off, price_spread: off}}", True),
        ("tasks: {rules: {price_spread: 30%, mismatch: false}}", True),
        ("tasks: {rules: {price_spread: 30}}", False),
        ("tasks: {rules: {price_spread: 0%}}", False),
        ("tasks: {rules: {price_spread: 1001%}}", False),
        ("tasks: {rules: {images: true}}", False),
        ("auth: {anonymous: reader}", True),
        ("auth: {anonymous: everyone}", False),
        ("auth: {password_min: 8}", True),
        ("auth: {password_min: 7}", False),
        ("auth: {password_min: 129}", False),
        ("auth: {hash_slots: 4}", True),
        ("auth: {hash_slots: 0}", False),
        ("auth: {argon2: {memory: 19MiB, time: 2, parallelism: 1}}", True),
        ("auth: {argon2: {memory: 19455KiB}}", False),
        ("auth: {argon2: {memory: 19456}}", False),
        ("auth: {argon2: {time: 1}}", False),
        ("auth: {argon2: {parallelism: 0}}", False),
        ("auth: {argon2: {salt: 1}}", False),
        ("currency: {base: USD}", True),
        ("currency: {base: usd}", False),
        ("search: {cached_pages: 0}", True),
        ("search: {cached_pages: 1.5}", False),
        ("logger: {level: debug, kind: json}", True),
    ],
)
def test_each_section_takes_its_own_values_only(faults, text, accepted):
    assert (faults(text) == []) is accepted


SHAPES = "memcached://HOST:PORT, redis://HOST:PORT/DATABASE or rediss:// (TLS)"
HIDDEN = "with a user or password ${NAME} of an environment variable, or a path under url_file"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cache: {}", []),
        ("cache: {kind: memory}", []),
        ("cache: {kind: file}", []),
        ("cache: {kind: file, path: /tmp/cache}", []),
        ("cache: {kind: memcached, url: 'memcached://cache:11211'}", []),
        ("cache: {kind: memcached, url: 'memcached://[::1]:11211'}", []),
        ("cache: {kind: redis, url: 'redis://cache'}", []),
        ("cache: {kind: redis, url: 'rediss://cache:6380/2'}", []),
        ("cache: {kind: redis, url: '${R}'}", []),
        ("cache: {kind: memory, path: x}", ["cache.path: 'x'; allowed: only for kind file"]),
        ("cache: {path: x}", ["cache.path: 'x'; allowed: only for kind file"]),
        (
            "cache: {kind: file, url: 'redis://cache'}",
            ["cache.url: 'redis://cache'; allowed: only for kind memcached or redis"],
        ),
        ("cache: {kind: memcached}", ["cache.url: nothing; allowed: memcached://HOST:PORT"]),
        ("cache: {kind: redis}", ["cache.url: nothing; allowed: redis://HOST:PORT | rediss://HOST:PORT"]),
        (
            "cache: {kind: redis, url: 'memcached://cache', path: x}",
            [
                "cache.path: 'x'; allowed: only for kind file",
                "cache.url: 'memcached://cache'; allowed: redis://HOST:PORT | rediss://HOST:PORT",
            ],
        ),
        ("cache: {kind: memcached, url: '${R}'}", ["cache.url: ***; allowed: memcached://HOST:PORT"]),
        ("cache: {kind: redis, url: 'redis://:hunter2@cache'}", [f"cache.url: ***; allowed: {HIDDEN}"]),
        ("cache: {kind: redis, url: 'redis://:${P}@cache'}", [f"cache.url: ***; allowed: {HIDDEN}"]),
        ("cache: {kind: redis, url: 'redis://:hun ter2@cache'}", [f"cache.url: ***; allowed: {SHAPES}"]),
        ("cache: {kind: redis, url: '${P}'}", [f"cache.url: ***; allowed: {SHAPES}"]),
        (
            "cache: {kind: redis, url_file: /none}",
            ["cache.url_file: '/none'; allowed: a readable file (No such file or directory)"],
        ),
        ("cache: {kind: file, path_file: x}", ["cache.path_file: unknown key; allowed: kind, url, path"]),
    ],
)
def test_each_kind_of_cache_takes_its_own_keys_and_shows_no_password(faults, text, found):
    assert faults(text, R="redis://:hunter2@cache", P="hunter2") == found


@pytest.mark.parametrize(
    "url",
    [
        "cache:6379",
        "http://cache",
        "REDIS://cache",
        "redis://",
        "redis://cache:port",
        "redis://cache:99999",
        "redis://cache/zero",
        "redis://cache?socket_timeout=100",
        "redis://cache#x",
        "redis://ca che",
        "memcached://cache/1",
        "unix:///run/redis.sock",
        "redis://[::1",
    ],
)
def test_an_url_that_leads_to_no_server_is_refused(faults, url):
    for kind in ("memcached", "redis"):
        assert faults(f"cache: {{kind: {kind}, url: '{url}'}}") == [f"cache.url: '{url}'; allowed: {SHAPES}"]


def test_a_user_at_memcached_is_refused(faults):
    assert faults("cache: {kind: memcached, url: '${U}'}", U="memcached://u:hunter2@cache") == [
        f"cache.url: ***; allowed: {SHAPES}"
    ]


def test_the_url_of_a_cache_may_stand_in_a_file(load, tmp_path):
    (tmp_path / "url").write_text("redis://:hunter2@cache\n")
    settings = load(f"cache: {{kind: redis, url_file: '{tmp_path}/url'}}")
    assert settings.cache.url == Secret("redis://:hunter2@cache")
    assert "hunter2" not in repr(settings)


NOT_LONGER, NOT_SHORTER = "allowed: a time that is not longer than", "allowed: a time that is not shorter than"
DEFAULTS = {"fresh": "5s by default", "revalidate": "30s by default", "max_stale": "10m by default"}


def kept(**times):
    told = DEFAULTS | times
    served = f"live.fresh ({told['fresh']}) and, after it, live.revalidate ({told['revalidate']})"
    return f"allowed: a time that keeps {served} within live.max_stale ({told['max_stale']}), which begins together with fresh"


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ("deadline: 5s", []),
        ("max_deadline: 800ms", []),
        ("deadline: 6s", [f"live.deadline: '6s'; {NOT_LONGER} live.max_deadline (5s by default)"]),
        ("max_deadline: 500ms", [f"live.max_deadline: '500ms'; {NOT_SHORTER} live.deadline (800ms by default)"]),
        ("deadline: 2s, max_deadline: 1500ms", [f"live.deadline: '2s'; {NOT_LONGER} live.max_deadline (1500ms)"]),
        ("revalidate: 595s", []),
        ("max_stale: 35s", []),
        ("fresh: 20m", [f"live.fresh: '20m'; {kept(fresh='20m')}"]),
        ("revalidate: 15m", [f"live.revalidate: '15m'; {kept(revalidate='15m')}"]),
        ("fresh: 90s, revalidate: 10m", [f"live.revalidate: '10m'; {kept(fresh='90s', revalidate='10m')}"]),
        ("max_stale: 20s", [f"live.max_stale: '20s'; {kept(max_stale='20s')}"]),
        ("fresh: 1m, max_stale: 60s", [f"live.max_stale: '60s'; {kept(fresh='1m', max_stale='1m')}"]),
        (
            "max_deadline: 60ms, max_stale: 20s",
            [
                f"live.max_deadline: '60ms'; {NOT_SHORTER} live.deadline (800ms by default)",
                f"live.max_stale: '20s'; {kept(max_stale='20s')}",
            ],
        ),
    ],
)
def test_times_that_contradict_each_other_are_told_where_one_was_set(faults, times, found):
    assert faults(f"live: {{{times}}}") == found


def test_every_section_is_optional():
    assert not any(field.required for field in ConfigSchema().fields.values())
