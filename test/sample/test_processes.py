"""The launcher's children: which of them may end, and what a SIGHUP means."""

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sample import processes
from sample.ports import LOOPBACK
from sample.processes import Family, StartFailed, Terms, find_free_port, has_terminal, is_port_free, show_command, spawn

ROOT = Path(__file__).parents[2]
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A launcher with one child that writes down each SIGHUP it gets.
CHILD = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGHUP, lambda *_: Path(sys.argv[1]).write_text("hangup"))
Path(sys.argv[2]).touch()
time.sleep(60)
"""
LAUNCHER = f"""
import os, sys
from pathlib import Path
from sample.processes import Family, StopAsked, Terms
folder = Path(sys.argv[1])
family = Family(folder)
family.obey_signals()
family.start("taker", [sys.executable, "-c", {CHILD!r}, str(folder / "got"), str(folder / "ready")], dict(os.environ), Terms(takes_hangup=True))
family.start("other", [sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ))
try:
    family.watch()
except StopAsked:
    (folder / "stopped").touch()
finally:
    family.stop()
"""


def wait_for(what: str, is_true) -> None:
    until = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < until, what
        time.sleep(0.02)


@pytest.fixture
def family(tmp_path: Path):
    family = Family(tmp_path)
    yield family
    family.stop()


def test_a_child_that_ends_is_named_with_its_last_words(family: Family) -> None:
    child = family.start("loud", [sys.executable, "-c", "print('last words'); raise SystemExit(3)"], {})
    child.process.wait()
    with pytest.raises(StartFailed, match=r"loud ended with code 3\.(?s:.*)last words"):
        family.check()


def test_an_expendable_child_is_told_of_once_and_the_others_go_on(family: Family, capfd: pytest.CaptureFixture[str]) -> None:
    family.start("kept", SLEEP, {})
    child = family.start("shop", SLEEP, {}, Terms(expendable=True))
    child.process.kill()
    child.process.wait()
    family.check()
    family.check()
    assert [child.name for child in family.children] == ["kept"]
    again = f"Start it again: {show_command(SLEEP)}"
    assert capfd.readouterr().out == f"shop was killed by SIGKILL; the lists go on. {again}\n"


def test_a_command_is_shown_as_it_can_be_typed_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert show_command([str(tmp_path / "bin/python"), "-m", "a b"]) == "bin/python -m 'a b'"


def test_a_frozen_child_stops_when_told(family: Family) -> None:
    child = family.start("frozen", SLEEP, {})
    child.process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    family.stop()
    assert child.process.returncode == -signal.SIGTERM
    assert time.monotonic() - started < 10  # of the 15 s after which it would have been killed


def start_launcher(folder: Path, *prefix: str) -> subprocess.Popen[bytes]:
    command = [*prefix, sys.executable, "-c", LAUNCHER, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


@pytest.mark.parametrize("prefix", [(), ("nohup",)], ids=["no terminal", "nohup"])
def test_without_a_terminal_a_hangup_is_passed_on_to_who_takes_it(tmp_path: Path, prefix: tuple[str, ...]) -> None:
    process = start_launcher(tmp_path, *prefix)
    try:
        wait_for("the child", (tmp_path / "ready").exists)
        process.send_signal(signal.SIGHUP)
        wait_for("the signal", (tmp_path / "got").exists)
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(20) == 0
    assert (tmp_path / "stopped").exists()


def start_in_terminal(folder: Path) -> tuple[int, int]:
    """A launcher that leads a terminal of its own: its process id, and our end of the terminal."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", LAUNCHER, str(folder)])
    return pid, master


def test_with_a_terminal_a_hangup_is_passed_on_until_the_terminal_is_closed(tmp_path: Path) -> None:
    pid, master = start_in_terminal(tmp_path)
    try:
        wait_for("the child", (tmp_path / "ready").exists)
        children = psutil.Process(pid).children()
        os.kill(pid, signal.SIGHUP)
        wait_for("the signal", (tmp_path / "got").exists)
        assert not (tmp_path / "stopped").exists()
    finally:
        os.close(master)
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "stopped").exists()
    assert len(children) == 2
    assert not any(child.is_running() for child in children)


def test_a_terminal_is_missed_where_there_is_none(tmp_path: Path) -> None:
    code = "from sample.processes import has_terminal; raise SystemExit(has_terminal())"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, start_new_session=True, check=False).returncode == 0
    assert has_terminal() in {True, False}


def test_a_child_that_can_be_spared_dies_with_us_even_when_frozen(tmp_path: Path) -> None:
    code = f"""
import os, signal, subprocess, sys, time
from sample.processes import Terms, spawn
child = spawn({SLEEP!r}, {{}}, None, Terms(expendable=True))
child.send_signal(signal.SIGSTOP)
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_for("its end", lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_what_is_started_leads_a_group_of_its_own() -> None:
    process = spawn(SLEEP, {}, None)
    try:
        assert os.getpgid(process.pid) == process.pid
    finally:
        process.kill()
        process.wait()


def test_free_ports_are_never_the_same_and_none_that_an_outgoing_connection_is_given():
    found = [find_free_port(LOOPBACK) for _ in range(50)]
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(found)) == len(found)
    assert max(found) < first
    assert all(is_port_free(LOOPBACK, port) for port in found)


def test_a_port_that_somebody_listens_on_is_not_given_and_without_another_one_it_says_so(monkeypatch: pytest.MonkeyPatch):
    taken = find_free_port(LOOPBACK)
    monkeypatch.setattr(processes, "_given", set())
    monkeypatch.setattr(processes, "_QUIET_PORTS", range(taken, taken + 1))
    with socket.create_server((LOOPBACK, taken)), pytest.raises(StartFailed, match=f"no free port from {taken} to {taken}"):
        find_free_port(LOOPBACK)
