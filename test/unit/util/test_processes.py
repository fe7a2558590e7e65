import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from main.util import processes
from main.util.processes import has_ended, identify, is_fork, own_mark

pytestmark = pytest.mark.skipif(not Path("/proc/self/auxv").exists(), reason="there is no /proc of Linux here")


def test_a_process_is_told_from_every_other():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        mine, its = identify(os.getpid()), identify(other.pid)
        assert None not in {mine, its}
        assert mine != its
        assert identify(other.pid) == its
        other.kill()


def test_a_process_that_has_ended_is_nobody_also_while_its_exit_code_waits():
    child = subprocess.Popen([sys.executable, "-c", ""])
    until = time.monotonic() + 20
    while identify(child.pid) is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert identify(child.pid) is None
    child.wait()
    assert identify(child.pid) is None


def test_a_fork_is_told_from_a_program_that_was_started():
    code = "import os; from main.util.processes import is_fork\nprint(is_fork(), flush=True)\nif os.fork(): os.wait()\nelse: print(is_fork())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "True"]


def test_where_nothing_is_told_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert identify(os.getpid()) is None
    assert not is_fork()


def test_a_process_that_lives_has_not_ended_and_one_that_was_killed_has():
    code = "from main.util.processes import own_mark; print(own_mark(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        mark = child.stdout.readline().strip()
        assert mark not in {"", own_mark()}
        assert not has_ended(mark)
        child.kill()
    assert has_ended(mark)
    assert not has_ended(own_mark())


@pytest.mark.parametrize(
    "change", [lambda mark: f"1{mark}", lambda mark: mark.replace("-", "0"), lambda _: "", lambda _: "words", lambda _: "1/x"]
)
def test_of_other_containers_and_other_boots_nothing_is_known(change):
    namespace, _, rest = own_mark().partition("/")
    boot = rest.split(":")[0]
    assert not has_ended(change(f"{namespace}/{boot}:999999999:1"))
    assert has_ended(f"{namespace}/{boot}:999999999:1")


def test_without_proc_a_process_has_no_mark_and_nothing_has_ended(monkeypatch, tmp_path):
    mark = own_mark()
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert own_mark() == ""
    assert not has_ended(mark)
    assert processes._namespace() == ""
