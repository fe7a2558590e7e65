import datetime as dt
import fcntl
import threading
import time
from functools import partial

import pytest
from structlog.testing import capture_logs

from main.resources.tokens import lastgood
from main.resources.tokens.lastgood import FRESH, THROTTLE, ProviderKeys
from main.resources.upstream.document import fetch_document
from main.resources.upstream.watchdog import Watchdog
from main.service.errors import Unavailable, UpstreamUnreachable
from test.fakes import FakeClock
from test.unit.resources.tokens.providing import IdentityProvider


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def provider():
    provider = IdentityProvider()
    with provider.up():
        yield provider


@pytest.fixture
def make(tmp_path, clock, provider):
    """Return a function that gives the keys as another worker on the same data folder has them."""
    fetch = partial(fetch_document, watchdog=Watchdog())
    return lambda: ProviderKeys(provider.settings(), tmp_path / "data" / "providers", fetch, clock)


@pytest.fixture
def keys(make):
    return make()


def wait_for(found):
    until = time.monotonic() + 10
    while not found() and time.monotonic() < until:
        time.sleep(0.005)
    assert found()


def settle():
    for thread in threading.enumerate():
        if thread.name == "provider-keys":
            thread.join(10)


def test_the_first_caller_has_the_keys_fetched_and_the_others_have_them(keys, provider):
    for _ in range(100):
        assert keys.find("k1") is not None
    assert provider.fetches == 1


def test_a_start_fetches_them_before_anybody_asks(keys, provider):
    keys.start()
    settle()
    assert keys.find("k1") is not None
    assert provider.fetches == 1


def test_a_fetch_keeps_no_process_from_ending(keys, provider):
    provider.gate.clear()
    keys.start()
    wait_for(lambda: provider.fetches == 1)
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "provider-keys"] == [True]
    provider.gate.set()
    settle()


def test_a_start_after_a_fetch_that_failed_fetches_again_however_lately_that_was(keys, make, provider, clock):
    provider.status = 503
    with pytest.raises(Unavailable):
        keys.find("k1")
    provider.status = 200
    clock.advance(THROTTLE)
    make().start()
    settle()
    assert provider.fetches == 2


def test_workers_share_what_one_has_fetched(keys, make, provider):
    assert keys.find("k1")
    assert make().find("k1")
    other = make()
    other.start()
    settle()
    assert other.find("k1")
    assert provider.fetches == 1


def test_a_start_while_the_provider_is_down_locks_nobody_out(keys, make, provider, clock):
    assert keys.find("k1")
    provider.status = 503
    clock.advance(FRESH * 100)
    restarted = make()
    restarted.start()
    settle()
    assert restarted.find("k1")
    assert provider.fetches == 2


def test_without_any_keys_it_says_that_it_cannot_tell(keys, provider, clock):
    provider.status = 500
    for _ in range(10):
        with pytest.raises(Unavailable) as caught:
            keys.find("k1")
        assert caught.value.retry_after == THROTTLE
    assert provider.fetches == 1
    provider.status = 200
    clock.advance(THROTTLE)
    assert keys.find("k1")


def test_a_new_key_is_fetched_when_a_token_names_it(keys, provider, clock):
    keys.find("k1")
    provider.rotate("k2")
    clock.advance(THROTTLE)
    assert keys.find("k2")
    assert keys.find("k1") is None


def test_a_flood_of_unknown_names_is_one_fetch_in_half_a_minute_over_all_workers(keys, make, provider, clock):
    workers = [keys, make(), make(), make()]
    for number in range(400):
        assert workers[number % 4].find("k1")
        assert workers[number % 4].find(f"unknown{number}") is None
    assert provider.fetches == 1
    clock.advance(THROTTLE)
    for number in range(400):
        assert workers[number % 4].find(f"unknown{number}") is None
    assert provider.fetches == 2
    settle()


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]}', b"x" * 300_000]
)
def test_a_set_that_is_empty_or_broken_never_replaces_a_good_one(keys, make, provider, clock, answer):
    good = keys.find("k1")
    provider.answer = answer
    for _ in range(3):
        clock.advance(FRESH + THROTTLE)
        keys.refresh()
        assert keys.find("k1").key.public_bytes_raw() == good.key.public_bytes_raw()
    settle()
    assert make().find("k1")
    assert provider.fetches >= 4


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_error_and_a_redirect_are_no_keys(keys, provider, status):
    provider.status = status
    with pytest.raises(Unavailable):
        keys.find("k1")
    assert provider.fetches == 1


def test_old_keys_are_fetched_again_behind_the_callers_backs(keys, provider, clock):
    keys.find("k1")
    provider.rotate("k2")
    clock.advance(600)
    provider.gate.clear()
    assert keys.find("k1")  # it does not wait
    provider.gate.set()
    settle()
    assert provider.fetches == 2
    assert keys.find("k2")


def test_keys_that_were_old_when_the_machine_came_up_are_fetched_with_the_first_caller(keys, make, provider, clock):
    keys.find("k1")
    clock.time += dt.timedelta(seconds=FRESH)  # the clock of the wall goes on while the one that began with the boot is at 0
    assert make().find("k1")
    settle()
    assert provider.fetches == 2


def test_what_another_worker_has_fetched_is_looked_for_twice_a_minute(keys, make, provider, clock):
    assert [bool(keys.find("k1")) for _ in range(2)] == [True] * 2
    provider.rotate("k2")
    clock.time += dt.timedelta(seconds=THROTTLE)
    assert make().find("k2")
    assert keys.find("k1") is not None
    clock.seconds += THROTTLE - 1
    assert keys.find("k1") is not None
    clock.seconds += 1
    assert keys.find("k1") is None
    settle()
    assert provider.fetches == 2


def test_what_is_kept_is_for_the_own_user_alone(keys):
    keys.find("k1")
    folder = keys._copy.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_processes_that_fetch_do_so_one_after_the_other(keys, make, provider, clock):
    keys.find("k1")
    clock.advance(THROTTLE)
    with keys._turn.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = threading.Thread(target=make().find, args=("unknown",))
        waiting.start()
        waiting.join(0.2)
        assert (waiting.is_alive(), provider.fetches) == (True, 1)
    waiting.join(10)
    assert (waiting.is_alive(), provider.fetches) == (False, 2)


def test_keys_that_are_fresh_are_left_alone(keys, provider, clock):
    keys.find("k1")
    clock.advance(599.999)
    keys.find("k1")
    settle()
    assert provider.fetches == 1


def test_nobody_waits_for_another_callers_fetch(keys, provider, clock):
    keys.find("k1")
    clock.advance(THROTTLE)
    provider.gate.clear()
    first = threading.Thread(target=keys.find, args=("unknown",))
    first.start()
    wait_for(lambda: provider.fetches == 2)
    assert keys.find("other") is None
    assert first.is_alive()
    provider.gate.set()
    first.join()


def test_who_has_no_keys_at_all_waits_for_the_first_fetch(keys, provider):
    provider.gate.clear()
    keys.start()
    wait_for(lambda: provider.fetches == 1)
    threading.Timer(0.1, provider.gate.set).start()
    assert keys.find("k1")
    assert provider.fetches == 1


def test_a_first_fetch_that_takes_too_long_is_not_waited_for(keys, provider, monkeypatch):
    monkeypatch.setattr(lastgood, "PATIENCE", 0.05)
    provider.gate.clear()
    keys.start()
    wait_for(lambda: provider.fetches == 1)
    with pytest.raises(Unavailable):
        keys.find("k1")
    provider.gate.set()
    settle()


@pytest.mark.parametrize("seconds", [3600, 0.5])
def test_a_clock_that_was_set_back_stops_no_fetch(keys, provider, clock, seconds):
    keys.find("k1")
    provider.rotate("k2")
    clock.advance(-seconds)
    assert keys.find("k2")


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "-1", "\xb2", "1" * 60])
def test_a_note_of_the_last_fetch_that_says_nothing_stops_none(keys, provider, text):
    keys.find("k1")
    provider.rotate("k2")
    keys._turn.write_text(text, encoding="utf-8")
    assert keys.find("k1")
    settle()
    keys._turn.write_text(text, encoding="utf-8")
    assert keys.find("k2")


def test_a_copy_that_was_damaged_is_fetched_again(keys, make, provider, clock):
    keys.find("k1")
    keys._copy.write_text("{")
    other = make()
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(Unavailable):
                other.find("k1")
    assert [line["event"] for line in logs] == ["provider.copy_unreadable"]
    clock.advance(THROTTLE)
    assert make().find("k1")
    assert provider.fetches == 2


def test_a_data_folder_that_is_gone_keeps_the_keys_in_memory(keys, provider, clock, tmp_path):
    keys.find("k1")
    folder = tmp_path / "data" / "providers"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("a file")
    clock.advance(FRESH)
    assert keys.find("k1")
    settle()
    assert provider.fetches == 1


def test_a_copy_that_cannot_be_written_is_done_without(tmp_path, provider, clock):
    folder = tmp_path / "providers"

    def fetch(url):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        folder.write_text("a file")
        return provider.key_set()

    assert ProviderKeys(provider.settings(), folder, fetch, clock).find("k1")


def test_another_url_is_another_set(tmp_path, provider, clock):
    def fetch(url):
        if url.endswith("/keys"):
            return provider.key_set()
        raise UpstreamUnreachable("down")

    folder = tmp_path / "providers"
    assert ProviderKeys(provider.settings(), folder, fetch, clock).find("k1")
    with pytest.raises(Unavailable):
        ProviderKeys(provider.settings(jwks_url="https://id.example/other"), folder, fetch, clock).find("k1")


def test_where_no_thread_can_be_had_old_keys_serve_and_nobody_fails(keys, provider, clock, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    assert keys.find("k1")
    clock.advance(FRESH + 1)
    with monkeypatch.context() as crowded, capture_logs() as logs:
        crowded.setattr(threading.Thread, "start", refuse)
        assert keys.find("k1")
    assert [(line["event"], line["kept"]) for line in logs] == [("provider.thread_refused", 1)]
    clock.advance(THROTTLE)
    assert keys.find("k1")
    settle()
    assert provider.fetches == 2
