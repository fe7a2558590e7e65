"""One source's state between processes; most of it is in test/contract/test_guardbook_processes.py."""

import threading
import time
from dataclasses import replace

import pytest
import structlog

from main.resources.guards.shared import SharedState
from main.service.model import GuardState
from main.util.filelocks import try_lock, unlock
from main.util.metrics import TIMINGS


def count_up(state):
    return replace(state, calls=state.calls + 1), state.calls + 1


def test_while_the_lock_is_not_to_be_had_this_process_goes_on_with_what_it_knows(tmp_path):
    path = tmp_path / "acme.json"
    state, other = SharedState(path), SharedState(path)
    state.change(count_up)
    before = TIMINGS.snapshot().get("guard.state_not_shared")
    file, began = try_lock(path), time.monotonic()
    with structlog.testing.capture_logs() as logs:
        assert [state.change(count_up) for _ in range(100)] == list(range(2, 102))
    assert time.monotonic() - began < 5  # only the first one waits: a tenth of a second
    assert [line["event"] for line in logs] == ["guard.state_not_shared"]
    assert TIMINGS.snapshot()["guard.state_not_shared"].count == (before.count if before else 0) + 100
    assert (state.read().calls, other.read().calls) == (101, 1)
    unlock(file)
    other.change(count_up)
    assert state.change(count_up) == 103
    assert SharedState(path).read() == GuardState(calls=103)


def test_what_is_owed_is_shared_by_looking_too(tmp_path):
    path = tmp_path / "acme.json"
    state, other = SharedState(path), SharedState(path)
    file = try_lock(path)
    assert state.change(lambda found: (replace(found, calls=7), None)) is None
    unlock(file)
    other.change(lambda found: (replace(found, paused_until=1.5), None))
    assert state.read_now() == GuardState(calls=7, paused_until=1.5)
    assert SharedState(path).read() == state.read()
    file = try_lock(path)
    with structlog.testing.capture_logs() as logs:
        state.change(count_up)
    unlock(file)
    assert [line["event"] for line in logs] == ["guard.state_not_shared"], "another while without sharing is told again"


def test_who_reads_while_another_thread_looks_gets_nothing_older_than_promised(tmp_path, monkeypatch):
    path = tmp_path / "acme.json"
    state, other = SharedState(path), SharedState(path)
    state.change(count_up)
    other.change(count_up)
    time.sleep(0.15)
    looking, go_on = threading.Event(), threading.Event()

    def find_slowly():
        looking.set()
        go_on.wait(10)
        return SharedState._find_mark(state)

    monkeypatch.setattr(state, "_find_mark", find_slowly)
    slow = threading.Thread(target=state.read)
    slow.start()
    assert looking.wait(10)
    monkeypatch.undo()
    assert state.read().calls == 2
    go_on.set()
    slow.join()


def test_two_contents_of_one_moment_are_told_apart(tmp_path, monkeypatch):
    path = tmp_path / "acme.json"
    state, other = SharedState(path), SharedState(path)
    moment = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: moment)  # a clock that does not move on between the two, or is set back
    for number in range(1, 4):
        other.change(count_up)
        assert state.read_now().calls == number
        assert path.stat().st_mtime_ns >= moment


def test_what_this_process_wrote_itself_is_not_read_again(tmp_path, monkeypatch):
    state, other = SharedState(tmp_path / "acme.json"), SharedState(tmp_path / "acme.json")
    state.change(count_up)
    other.read_now()
    monkeypatch.setattr("main.resources.guards.shared.read_page", lambda path, _: pytest.fail(f"{path} was read"))
    assert [each.read_now().calls for each in (state, other, state)] == [1, 1, 1]


def test_notes_wait_until_they_can_be_shared(tmp_path):
    path = tmp_path / "acme.json"
    state = SharedState(path)
    state.note(count_up)
    file = try_lock(path)
    assert state.change(count_up) == 1
    assert state.has_notes
    unlock(file)
    assert state.change(count_up) == 3
    assert not state.has_notes
    assert SharedState(path).read() == GuardState(calls=3)


def test_a_step_that_changes_nothing_is_neither_written_nor_owed(tmp_path):
    path = tmp_path / "acme.json"
    state = SharedState(path)
    state.change(count_up)
    mark = path.stat().st_mtime_ns
    assert state.change(lambda found: (found, found.calls)) == 1
    assert path.stat().st_mtime_ns == mark
    file = try_lock(path)
    assert state.change(lambda found: (found, found.calls)) == 1
    unlock(file)
    assert state.change(count_up) == 2
