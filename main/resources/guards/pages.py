"""One source's state as the content of a small JSON file.

The file is written in place, which costs microseconds where a new file moved over the old one costs milliseconds (file systems then hurry to
write it out). A reader without the lock may therefore meet half of an old and half of a new content: a checksum tells.
"""

from __future__ import annotations

import os
import time
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
import orjson

from main.service.model import BreakerMode, GuardState

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
_MODE = 0o600
_MOST = 1 << 20
_BLOCK = 1024

Mark = tuple[int, int, int]


class DamagedPage(Exception):
    """What stands in the file cannot be understood: half written, of another version, or something else altogether."""


@dataclass(frozen=True, slots=True)
class _Content:
    version: int
    checksum: int
    state: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Switch:
    """What a person has set, kept apart as well, so that it outlives a state that was lost."""

    mode: BreakerMode = BreakerMode.AUTO
    enabled: bool | None = None

    def put_on(self, state: GuardState) -> GuardState:
        """Give the state with the switch as it is here."""
        return replace(state, mode=self.mode, enabled=self.enabled)


_decode_content = msgspec.json.Decoder(_Content).decode
_decode_state = msgspec.json.Decoder(GuardState).decode
_decode_switch = msgspec.json.Decoder(Switch).decode


def switch_of(state: GuardState) -> Switch:
    """Give what a person has set."""
    return Switch(state.mode, state.enabled)


def encode_page(state: GuardState) -> bytes:
    """Give the content for a state, filled up with spaces so that its length seldom changes."""
    body = orjson.dumps(state)
    content = b'{"version":%d,"checksum":%d,"state":%b}' % (VERSION, zlib.crc32(body), body)
    return content.ljust(-(-(len(content) + 1) // _BLOCK) * _BLOCK - 1) + b"\n"


def decode_page(content: bytes) -> GuardState:
    """Give the state that stands in a file.

    Raises:
        DamagedPage: none can be made out.
    """
    try:
        found = _decode_content(content)
        if found.version != VERSION:
            raise DamagedPage(f"It is of version {found.version}, not {VERSION}.")
        if zlib.crc32(found.state) != found.checksum:
            raise DamagedPage("Its checksum is wrong.")
        return _decode_state(found.state)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedPage(str(error)) from error


def read_file(file: int) -> tuple[bytes, Mark]:
    """Give an open file's content, and the mark (time, size, inode) by which to tell whether it has changed."""
    mark = mark_of(os.fstat(file))
    return os.pread(file, min(mark[1], _MOST), 0), mark


def read_page(path: Path, size: int) -> bytes:
    """Give so many bytes of a file, in as few steps as can be: other threads wait to go on at each of them."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, min(size, _MOST))
    finally:
        os.close(file)


def write_file(file: int, content: bytes, before: Mark) -> Mark:
    """Replace an open file's content, which had the mark ``before``, in place, and give its new mark; the caller holds its lock."""
    os.pwrite(file, content, 0)
    modified, size, inode = before
    if size > len(content):
        os.ftruncate(file, len(content))
    # Set, because the kernel's own clock ticks so seldom that two writes in a row would leave the same time.
    now = max(time.time_ns(), modified + 1)
    os.utime(file, ns=(now, now))
    return now, len(content), inode


def mark_of(found: os.stat_result) -> Mark:
    """Give what tells one content of a file from the next."""
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_switch(path: Path) -> Switch:
    """Give what a person has set, or the default where that was never kept."""
    try:
        return _decode_switch(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Switch()


def keep_switch(path: Path, switch: Switch) -> None:
    """Write what a person has set so that neither a kill nor a power cut can lose it."""
    fresh = path.with_suffix(".new")  # always the same: what a killed process left is overwritten
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    try:
        os.write(file, orjson.dumps(switch))
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
