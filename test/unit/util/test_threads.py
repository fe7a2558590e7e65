import threading

import structlog
from structlog.testing import capture_logs

from main.util.threads import try_thread

LOG = structlog.get_logger("test")


def test_the_work_is_done_in_a_thread_that_keeps_no_process_alive():
    found = []
    thread = try_thread("worker", lambda: found.append(threading.current_thread()), LOG, "test.thread_refused")
    thread.join(20)
    assert (found, thread.name, thread.daemon) == ([thread], "worker", True)


def test_where_no_thread_can_be_had_that_is_told_and_nothing_is_done(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done = []
    with capture_logs() as lines:
        assert try_thread("worker", lambda: done.append(1), LOG, "test.thread_refused", kept=3) is None
    assert lines == [{"event": "test.thread_refused", "error": "can't start new thread", "kept": 3, "log_level": "warning"}]
    assert done == []
