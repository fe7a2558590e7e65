"""Child processes that live and die together: started in order, watched, stopped in reverse, and none left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

STOP_SECONDS = 15.0  # for all of them together, after which they are killed
PULSE_SECONDS = 0.1
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class StopAsked(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


class StartFailed(Exception):
    """A child ended by itself, or was never ready; the message says which and what it said last."""


@dataclass(frozen=True)
class Child:
    """A started process, how it likes to be stopped, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    log: Path | None

    def describe_end(self) -> str:
        """One sentence on how it ended, and the last lines it wrote."""
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self.name} {how}.{self.read_last_lines()}"

    def read_last_lines(self, count: int = 15) -> str:
        """The end of its log, ready to be appended to a sentence."""
        if self.log is None:
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-count:]
        return "\n".join([f" The end of {self.log}:", *(f"  {line}" for line in lines)])


class Family:
    """Starts children, notices when one ends, and stops them all in reverse order."""

    def __init__(self, logs: Path) -> None:
        """Each child but those run in the foreground writes to a file of its name in `logs`."""
        self.logs = logs
        self.children: list[Child] = []
        self._asked = False

    def obey_signals(self) -> None:
        """Makes Ctrl-C, SIGTERM and a closed terminal end the next wait; a flag, so that no child is ever half started."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def start(
        self, name: str, command: Sequence[str], env: Mapping[str, str], stop_signal: signal.Signals = signal.SIGTERM
    ) -> Child:
        """A child whose output goes to its log."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            child = Child(name, spawn(command, env, output.fileno()), stop_signal, log)
        self.children.append(child)
        return child

    def run(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> int:
        """The exit code of a command whose output goes to our own."""
        child = Child(name, spawn(command, env, None), signal.SIGTERM, None)
        self.children.append(child)
        while child.process.poll() is None:
            self._pause()
        self.children.remove(child)
        end_group(child, 0.0)
        return child.process.returncode

    def wait_until(self, what: str, is_true: Callable[[], bool], seconds: float = 60.0) -> None:
        """Returns once it is true; raises StartFailed when a child ends before, or time runs out."""
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                message = f"{what} did not come within {seconds:.0f} s.{self.children[-1].read_last_lines()}"
                raise StartFailed(message)
            self.check()
            self._pause()

    def watch(self) -> None:
        """Stays until a child ends (StartFailed) or somebody asks to stop (StopAsked)."""
        while True:
            self.check()
            self._pause()

    def check(self) -> None:
        """Raises StartFailed when a child has ended."""
        for child in self.children:
            if child.process.poll() is not None:
                raise StartFailed(child.describe_end())

    def _pause(self) -> None:
        if self._asked:
            raise StopAsked
        time.sleep(PULSE_SECONDS)

    def stop(self) -> None:
        """Ends all children, the last started first, within STOP_SECONDS."""
        deadline = time.monotonic() + STOP_SECONDS
        while self.children:
            end_group(self.children.pop(), max(1.0, deadline - time.monotonic()))


def spawn(command: Sequence[str], env: Mapping[str, str], output: int | None) -> subprocess.Popen[bytes]:
    """Starts a command in a process group of its own: Ctrl-C reaches us alone, and what it leaves behind can be found and killed."""
    return subprocess.Popen(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output if output is None else subprocess.STDOUT,
        process_group=0,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - there are no threads here
    )


def die_with_parent() -> None:
    """Asks the kernel for a SIGTERM when our parent ends: the one way to be told of its kill -9."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def end_group(child: Child, seconds: float) -> None:
    """Asks a child to stop, waits, and kills what is left of its group."""
    if child.process.poll() is None:
        child.process.send_signal(child.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def is_port_free(host: str, port: int) -> bool:
    """Whether we could listen there now."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def find_free_port(host: str) -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as trial:
        trial.bind((host, 0))
        port: int = trial.getsockname()[1]
        return port


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET there is a 200; never through a proxy of the environment."""
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
