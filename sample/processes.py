"""Child processes that live and die together: started in order, watched, stopped in reverse, and none left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

STOP_SECONDS = 15.0  # for all of them together, after which they are killed
PULSE_SECONDS = 0.1
PR_SET_PDEATHSIG = 1
# Below those from which Linux takes one for each connection that goes out: one of them could be gone before it is listened on.
_QUIET_PORTS = range(20_000, 32_000)
_given: set[int] = set()
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class StopAsked(Exception):
    """Somebody pressed Ctrl-C, sent SIGTERM or closed the terminal."""


class StartFailed(Exception):
    """A child ended by itself, or was never ready; the message says which and what it said last."""


@dataclass(frozen=True)
class Terms:
    """How a child likes to be stopped, whether the others can do without it, and whether a SIGHUP sent to us is meant for it."""

    stop_signal: signal.Signals = signal.SIGTERM
    expendable: bool = False
    takes_hangup: bool = False


@dataclass(frozen=True)
class Child:
    """A started process, the terms it lives on, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None
    terms: Terms = field(default_factory=Terms)

    @property
    def how_it_ended(self) -> str:
        """Half a sentence."""
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self.name} {how}"

    def describe_end(self) -> str:
        """One sentence on how it ended, and the last lines it wrote."""
        return f"{self.how_it_ended}.{self.read_last_lines()}"

    def describe_loss(self) -> str:
        """What a person needs to know when the others go on without it."""
        return f"{self.how_it_ended}; the lists go on. Start it again: {show_command(self.process.args)}"

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
        self._hung_up = False
        self._lives_with_terminal = False

    def obey_signals(self) -> None:
        """Makes Ctrl-C, SIGTERM and a closed terminal end the next wait; flags, so that no child is ever half started.

        SIGHUP says two things: the terminal is closed, or, by old custom, "read your configuration again". The kernel takes a closed
        terminal away from its processes before it sends the signal; so it means the end when there was a terminal and now there is
        none. Where nobody expects that, because there never was one or `nohup` had the signal ignored, it is always the custom.
        """
        self._lives_with_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and has_terminal()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGHUP, self._hang_up)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self._hung_up = True

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str], terms: Terms = Terms()) -> Child:
        """A child whose output goes to its log."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            child = Child(name, spawn(command, env, output.fileno(), terms), log, terms)
        self.children.append(child)
        return child

    def run(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> int:
        """The exit code of a command whose output goes to our own."""
        child = Child(name, spawn(command, env, None), None)
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
        """Raises StartFailed when a child has ended; of an expendable one it only tells."""
        for child in [child for child in self.children if child.process.poll() is not None]:
            if not child.terms.expendable:
                raise StartFailed(child.describe_end())
            self.children.remove(child)
            end_group(child, 0.0)
            say(child.describe_loss())

    def _pause(self) -> None:
        if self._hung_up:
            self._hung_up = False
            self._pass_hangup_on()
        if self._asked:
            raise StopAsked
        time.sleep(PULSE_SECONDS)

    def _pass_hangup_on(self) -> None:
        """Gives a SIGHUP to the children it is meant for, or takes it as the end."""
        if self._lives_with_terminal and not has_terminal():
            self._asked = True
            return
        takers = [child for child in self.children if child.terms.takes_hangup and child.process.poll() is None]
        for child in takers:
            child.process.send_signal(signal.SIGHUP)
        say(f"SIGHUP: passed on to {', '.join(child.name for child in takers) or 'nobody'}.")

    def stop(self) -> None:
        """Ends all children, the last started first, within STOP_SECONDS."""
        deadline = time.monotonic() + STOP_SECONDS
        while self.children:
            end_group(self.children.pop(), max(1.0, deadline - time.monotonic()))


def say(text: str) -> None:
    """A line for the person at the terminal, at once; a terminal that was closed is no reason to leave things undone."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def has_terminal() -> bool:
    """Whether a terminal controls us."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def show_command(command: Any) -> str:
    """A command as a person may type it in the folder we are in."""
    program, *arguments = command
    here = f"{Path.cwd()}{os.sep}"
    return shlex.join([program.removeprefix(here), *arguments])


def spawn(
    command: Sequence[str], env: Mapping[str, str], output: int | None, terms: Terms = Terms()
) -> subprocess.Popen[bytes]:
    """Starts a command in a process group of its own: Ctrl-C reaches us alone, and what it leaves behind can be found and killed."""
    return subprocess.Popen(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output if output is None else subprocess.STDOUT,
        process_group=0,
        # A frozen process hears of SIGKILL alone; who can be spared has nothing to tidy up.
        preexec_fn=partial(die_with_parent, signal.SIGKILL if terms.expendable else signal.SIGTERM),  # noqa: PLW1509 - there are no threads here
    )


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Asks the kernel for a signal when our parent ends: the one way to be told of its kill -9."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def end_group(child: Child, seconds: float) -> None:
    """Asks a child to stop, waits, and kills what is left of its group."""
    if child.process.poll() is None:
        child.process.send_signal(child.terms.stop_signal)
        child.process.send_signal(signal.SIGCONT)  # a frozen one would never hear of it
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
    """A port nobody listens on at the moment; another one each time.

    Raises:
        StartFailed: there is none.
    """
    for port in random.sample(_QUIET_PORTS, len(_QUIET_PORTS)):
        if port not in _given and is_port_free(host, port):
            _given.add(port)
            return port
    raise StartFailed(f"There is no free port from {_QUIET_PORTS[0]} to {_QUIET_PORTS[-1]}.")


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
