"""What is particular to Redis; the contract suite has the rest."""

import shutil
import subprocess
import time

import pytest

from main.resources.cache.entries import name_lock, name_value
from main.resources.cache.redis import RedisCache
from main.service.errors import CacheDown
from test.faults.servers import serving


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving("redis", tmp_path_factory.mktemp("redis"), "--requirepass", "hunter/2") as found:
        yield found


def url_of(server, database=""):
    return f"redis://:hunter%2F2@127.0.0.1:{server.port}/{database}"


def test_a_password_and_a_database_are_taken_from_the_url(server):
    first, second = (RedisCache(url_of(server, database), timeout=10) for database in ("0", "3"))
    first.set("key", b"value", 60)
    assert (first.get("key"), second.get("key")) == (b"value", None)
    first.close()
    second.close()


@pytest.mark.parametrize("user", ["", ":wrong@", "nobody:hunter%2F2@"])
def test_a_wrong_password_is_a_tier_that_is_down(server, user):
    cache = RedisCache(f"redis://{user}127.0.0.1:{server.port}", timeout=10)
    with pytest.raises(CacheDown) as caught:
        cache.ping()
    assert "hunter" not in f"{caught.value} {caught.value.__cause__}"
    cache.close()


def test_everything_has_a_time_to_live(server):
    cache = RedisCache(url_of(server), timeout=10)
    cache.set("key", b"value", 60)
    cache.lock("key", "one", 60)
    client = cache._clients.get()
    assert [0 < client.pttl(name) <= 60_000 for name in (name_value("key"), name_lock("key"))] == [True, True]
    cache.close()


def test_a_new_connection_asks_no_more_than_it_must(server):
    cache = RedisCache(url_of(server), timeout=10)
    cache.ping()
    asked = cache._clients.get().info("commandstats")  # each greeting would cost a slow network's time again
    assert "cmdstat_auth" in asked
    assert [name for name in asked if "hello" in name or "client" in name] == []
    cache.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed here")
    folder = tmp_path_factory.mktemp("tls")
    made = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"]
    command = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made, "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def encrypted(certificate, tmp_path_factory):
    files = ["--tls-cert-file", str(certificate / "cert.pem"), "--tls-key-file", str(certificate / "key.pem")]
    options = [*files, "--tls-auth-clients", "no"]
    with serving("redis", tmp_path_factory.mktemp("encrypted"), *options, tls=True) as found:
        yield found


def test_a_connection_can_be_encrypted(encrypted, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    cache = RedisCache(f"rediss://127.0.0.1:{encrypted.port}", timeout=10)
    value = bytes(range(256)) * 1000
    cache.set("key", value, 60)
    assert cache.get("key") == value
    cache.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted):
    cache = RedisCache(f"rediss://127.0.0.1:{encrypted.port}", timeout=10)
    with pytest.raises(CacheDown):
        cache.ping()
    cache.close()


def test_a_server_that_does_not_encrypt_is_down_in_bounded_time(server):
    cache = RedisCache(f"rediss://127.0.0.1:{server.port}")
    started = time.monotonic()
    with pytest.raises(CacheDown):
        cache.ping()
    assert time.monotonic() - started < 5
    cache.close()
