"""The shared book's files: private, small, and never a reason not to call."""

import os
import threading
import time
from dataclasses import replace

import pytest
import structlog

from main.resources.guards.files import FileGuardBook
from main.service.errors import Unavailable
from main.service.model import BreakerMode, GuardState


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "guards"


@pytest.fixture
def book(folder):
    return FileGuardBook(folder)


def count_up(state):
    return replace(state, calls=state.calls + 1), state.calls + 1


def force_open(state):
    return replace(state, mode=BreakerMode.FORCED_OPEN, enabled=False), None


def test_nothing_is_made_before_something_is_known(book, folder):
    assert book.read("acme") == GuardState()
    assert not folder.parent.exists()


def test_folder_and_files_are_for_this_user_alone(book, folder):
    book.change("acme", force_open)
    with book.slot("acme", 1, time.monotonic()):
        assert sorted(path.name for path in folder.iterdir()) == ["acme.json", "acme.switch", "places"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_state_outlives_its_process_and_a_shorter_one_leaves_nothing_of_a_longer(book, folder):
    book.change("acme", lambda state: (replace(state, last_error="x" * 5000), None))
    book.change("acme", lambda _: (GuardState(calls=7), None))
    assert FileGuardBook(folder).read("acme") == GuardState(calls=7)
    assert (folder / "acme.json").stat().st_size == 1024


@pytest.mark.parametrize(
    "content", [b"", b"not JSON", b'{"version":9,"checksum":0,"state":{}}', b'{"version":1,"checksum":5,"state":{}}']
)
def test_what_cannot_be_understood_starts_afresh_and_is_logged(book, folder, content):
    book.change("acme", count_up)
    (folder / "acme.json").write_bytes(content)
    with structlog.testing.capture_logs() as logs:
        fresh = FileGuardBook(folder)
        assert fresh.read("acme") == GuardState()
        assert book.change("acme", count_up) == 1
        assert FileGuardBook(folder).read("acme") == GuardState(calls=1)
    assert {line["event"] for line in logs} == ({"guard.state_damaged"} if content else set())


def test_a_persons_switch_outlives_a_damaged_and_a_lost_state(book, folder):
    book.change("acme", force_open)
    book.change("acme", count_up)
    for harm in (lambda path: path.write_bytes(b"\0" * 1024), lambda path: path.unlink()):
        harm(folder / "acme.json")
        found = FileGuardBook(folder)
        assert found.read("acme") == GuardState(mode=BreakerMode.FORCED_OPEN, enabled=False)
        assert found.change("acme", count_up) == 1
    (folder / "acme.json").unlink()
    (folder / "acme.switch").write_bytes(b"\xff")
    assert FileGuardBook(folder).read("acme") == GuardState()


def test_a_folder_that_cannot_be_used_stops_no_call_but_no_switch_is_promised(tmp_path):
    (tmp_path / "guards").write_text("a file where the folder should be")
    book = FileGuardBook(tmp_path / "guards")
    with structlog.testing.capture_logs() as logs:
        assert [book.change("acme", count_up) for _ in range(3)] == [1, 2, 3]
        assert book.read("acme").calls == 3
        with book.slot("acme", 1, time.monotonic()):
            assert True
        with book.slot("acme", 1, time.monotonic()):
            assert True
        with pytest.raises(Unavailable, match="The switch cannot be kept now"):
            book.change("acme", force_open)
    assert [line["event"] for line in logs] == ["guard.state_not_shared", "guard.places_not_shared"]
    (tmp_path / "guards").unlink()
    assert book.change("acme", count_up) == 4
    assert FileGuardBook(tmp_path / "guards").read("acme").calls == 4


def test_a_folder_that_cannot_be_read_is_said_to_be(tmp_path):
    (tmp_path / "guards").write_text("a file where the folder should be")
    with structlog.testing.capture_logs() as logs:
        assert FileGuardBook(tmp_path / "guards").read("acme") == GuardState()
    assert [line["event"] for line in logs] == ["guard.state_unreadable"]


def test_half_a_content_is_not_taken_for_a_state_while_another_writes(book, folder):
    book.change("acme", count_up)
    other = FileGuardBook(folder)
    assert other.read("acme").calls == 1

    def tear(state):
        whole = (folder / "acme.json").read_bytes()
        (folder / "acme.json").write_bytes(whole[:20] + b"0" + whole[21:])
        time.sleep(0.15)  # past the time for which a state is not looked at again
        assert other.read("acme").calls == 1
        return replace(state, calls=2), None

    book.change("acme", tear)
    time.sleep(0.15)
    assert other.read("acme").calls == 2


def test_a_page_of_twenty_sources_is_read_without_asking_the_disk_each_time(book, folder, monkeypatch):
    book.change("acme", count_up)
    looked = []
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda *args, **more: looked.append(args) or real(*args, **more))
    began = time.monotonic()
    for _ in range(1000):
        assert book.read("acme").calls == 1
    assert len(looked) <= 1 + 10 * (time.monotonic() - began)


def test_where_no_thread_can_be_had_to_share_notes_no_call_fails_and_the_next_note_has_one(book, folder, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as crowded, structlog.testing.capture_logs() as logs:
        crowded.setattr(threading.Thread, "start", refuse)
        book.note("acme", count_up)
    assert logs == [{"event": "guard.thread_refused", "log_level": "warning", "error": "can't start new thread"}]
    assert not (folder / "acme.json").exists()
    book.note("acme", count_up)
    until = time.monotonic() + 20
    while FileGuardBook(folder).read("acme").calls < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
