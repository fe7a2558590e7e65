import threading
import time

import pytest

from main.util import filelocks as locks
from main.util.filelocks import locked, try_lock, unlock


def test_a_lock_is_held_once_and_can_be_had_again(tmp_path):
    path = tmp_path / "new" / "acme.lock"
    file = try_lock(path)
    assert try_lock(path) is None
    unlock(file)
    with locked(path, 0, lambda: None) as file:
        assert file >= 0
    with locked(path, 0, lambda: None) as file:
        assert file >= 0


def test_a_lock_that_nobody_lets_go_is_given_up(tmp_path):
    file = try_lock(tmp_path / "lock")
    with pytest.raises(TimeoutError, match="does not go on"), locked(tmp_path / "lock", 0.02, lambda: None):
        pytest.fail("it was held")
    unlock(file)


def test_a_lock_that_others_make_progress_under_is_waited_for_longer_but_not_for_ever(tmp_path):
    file = try_lock(tmp_path / "lock")
    threading.Timer(0.6, unlock, [file]).start()
    with locked(tmp_path / "lock", 0.5, time.monotonic):
        held = time.monotonic()
        with pytest.raises(TimeoutError), locked(tmp_path / "lock", 0.01, time.monotonic):
            pytest.fail("it was held")
        assert time.monotonic() - held < 5


def test_a_lock_that_cannot_be_taken_for_another_reason_is_an_error(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks available"):
        try_lock(tmp_path / "lock")
