"""What the processes of one data folder tell each other about reloads: small files below ``reload/``."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from main.service.model import SourcesChange, Taken
from main.util.clock import isoformat
from main.util.files import read_text, write_whole
from main.util.ids import new_id
from main.util.processes import identify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "reload"
_ASKED = "asked"
_TICK = 0.1
_SUFFIX = ".process.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one process last made of a reload; ``name`` says what it does."""

    name: str
    host: str
    pid: int
    identity: str | None
    taken: Taken

    @property
    def gone(self) -> bool:
        """Whether the process has ended; never known of another machine, or container."""
        return self.host == socket.gethostname() and identify(self.pid) != self.identity


def read_mark(data: Path) -> str:
    """Give the mark of the last reload that was asked for; nothing where none was."""
    return read_text(data / FOLDER / _ASKED)


def ask_reload(data: Path, digest: str) -> str:
    """Ask every process for a reload and give its mark; ``digest`` is that of the file that was checked.

    Raises:
        OSError: the data folder cannot be written to.
    """
    mark = json.dumps({"id": new_id(), "at": isoformat(dt.datetime.now(dt.UTC)), "checked": digest})
    write_whole(data / FOLDER / _ASKED, mark)
    return mark


def write_answer(data: Path, name: str, taken: Taken) -> None:
    """Note what this process made of a reload.

    Raises:
        OSError: the data folder cannot be written to.
    """
    host, pid = socket.gethostname(), os.getpid()
    answer = Answer(name, host, pid, identify(pid), taken)
    write_whole(data / FOLDER / f"{host}-{pid}{_SUFFIX}", json.dumps(asdict(answer)))


def read_answers(data: Path) -> list[Answer]:
    """Give what each process that runs has noted, and drop the notes of those of this machine that have ended."""
    return sorted(_living(data / FOLDER), key=lambda answer: (answer.name, answer.host, answer.pid))


def wait_for_answers(data: Path, mark: str, seconds: float) -> tuple[list[Answer], list[Answer]]:
    """Give what processes made of the reload of this mark, and those that have not looked yet; wait for these at most so long."""
    until = time.monotonic() + seconds
    while True:
        answers = read_answers(data)
        waiting = [answer for answer in answers if answer.taken.mark != mark]
        if not waiting or time.monotonic() >= until:
            return [answer for answer in answers if answer.taken.mark == mark], waiting
        time.sleep(_TICK)


def _living(folder: Path) -> Iterator[Answer]:
    for path in folder.glob(f"*{_SUFFIX}"):
        answer = _parse(read_text(path))
        if answer is not None and answer.gone:
            path.unlink(missing_ok=True)
        elif answer is not None:
            yield answer


def _parse(text: str) -> Answer | None:
    try:
        found: dict[str, Any] = json.loads(text)
        taken = found.pop("taken")
        change = SourcesChange(**{key: tuple(names) for key, names in taken["change"].items()})
        return Answer(**found, taken=Taken(taken["mark"], change, tuple(taken["restart"]), tuple(taken["faults"])))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
