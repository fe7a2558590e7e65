import os
import subprocess
import sys
import threading

import pytest

from main.util.quiet import NICENESS, run_quietly


def test_it_gives_what_the_work_gave_even_nothing():
    assert run_quietly(lambda: 6 * 7) == 42
    assert run_quietly(lambda: None) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
def test_the_work_is_served_last_and_who_waits_for_it_as_before():
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert run_quietly(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())) == max(before, NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
def test_a_process_that_is_quieter_still_stays_so():
    work = "lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())"
    code = f"import os, threading; from main.util.quiet import run_quietly; os.nice(19); print(run_quietly({work}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"19\n"


def test_where_niceness_is_the_whole_processs_it_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert run_quietly(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())) == before


def test_where_the_system_has_no_more_threads_the_work_is_done_all_the_same(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert run_quietly(threading.current_thread) is threading.current_thread()


def test_an_expected_error_is_the_callers():
    with pytest.raises(ZeroDivisionError):
        run_quietly(lambda: 1 / 0, expected=(ZeroDivisionError,))


def test_an_unexpected_one_is_told_and_is_no_answer(monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))
    with pytest.raises(RuntimeError, match="quiet thread broke"):
        run_quietly(lambda: 1 / 0)
    assert told == [ZeroDivisionError]
