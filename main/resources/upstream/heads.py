"""Reads what stands before a body: status line, headers, chunk sizes; bounded, and strict where leniency is how shops are impersonated.

What is refused (RFC 9112, 6.3 and 11.2): a length that is no number or stands beside a transfer coding, two lengths, codings other than
``chunked``, lines that are no header. ``http.client`` reads over all of these.
"""

from __future__ import annotations

import re
from http.client import HTTPMessage, HTTPResponse, RemoteDisconnected, UnknownProtocol
from typing import TYPE_CHECKING, Any

from main.service.errors import UpstreamGarbled

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_HEAD = 64 * 1024
MAX_HEADERS = 100
_LONGEST_SIZE_LINE = 1024
_MOST_TRAILERS = 100
_LENGTH = re.compile(r"\d{1,15}\Z", re.ASCII)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n\Z", re.DOTALL)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_SWITCHING = 101
_FINAL = 200


class _Head:
    """The lines of a head, until they are too long or too many."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_HEAD
        self._lines = MAX_HEADERS

    def readline(self, _limit: int = -1) -> bytes:
        """Give the next line, as ``http.client`` asks for the status line."""
        line = self._file.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise UpstreamGarbled(f"The answer's headers are larger than {MAX_HEAD // 1024} KiB.")
        return line

    def read_headers(self) -> HTTPMessage:
        """Give the headers up to the empty line."""
        found: list[list[str]] = []
        while (line := self.readline()) not in {b"\r\n", b"\n"}:
            if not line.endswith(b"\n"):
                raise RemoteDisconnected("The connection ended within the headers.")
            self._lines -= 1
            if self._lines < 0:
                raise UpstreamGarbled(f"The answer has more than {MAX_HEADERS} headers.")
            _take_line(found, line.decode("iso-8859-1").rstrip("\r\n"))
        message = HTTPMessage()
        for name, value in found:
            message[name] = value
        return message

    def close(self) -> None:
        """Close the connection's file, which is not HTTP's."""
        self._file.close()


def _take_line(found: list[list[str]], line: str) -> None:
    if line[:1] in {" ", "\t"} and found:
        found[-1][1] += f" {line.strip()}"  # a folded value (RFC 9112, 5.2)
        return
    name, colon, value = line.partition(":")
    if not colon or not _NAME.match(name) or "\r" in value or "\0" in value:
        raise UpstreamGarbled("The answer has a line among its headers that is none.")
    found.append([name, value.strip(" \t")])


class BoundedResponse(HTTPResponse):
    """An answer whose head, chunk sizes and trailers are bounded and checked."""

    headers: HTTPMessage
    fp: Any

    def begin(self) -> None:
        """Read the head, and those of the 1xx answers before it.

        Raises:
            UpstreamGarbled: it is too large, or says of the body what no honest server says.
        """
        if self.headers is not None:
            return
        head = _Head(self.fp)
        self.fp, file = head, self.fp
        try:
            while True:
                version, status, self.reason = self._read_status()
                message = head.read_headers()
                if status >= _FINAL or status == _SWITCHING:
                    break
        finally:
            if self.fp is head:  # not closed on the way
                self.fp = file
        if not version.startswith("HTTP/1."):
            raise UnknownProtocol(version)
        self.version = 10 if version == "HTTP/1.0" else 11
        self.code = self.status = status
        self.headers = self.msg = message
        self._frame()

    def _frame(self) -> None:
        """Find out how the body ends (RFC 9112, 6.3)."""
        codings, lengths = self.headers.get_all("Transfer-Encoding", []), self.headers.get_all("Content-Length", [])
        if codings and (lengths or len(codings) > 1 or codings[0].lower() != "chunked"):
            raise UpstreamGarbled("The answer's Transfer-Encoding is not chunked alone.")
        if len(lengths) > 1 or not all(map(_LENGTH.match, lengths)):
            raise UpstreamGarbled("The answer's Content-Length is not one number.")
        self.chunked = bool(codings)
        self.chunk_left = None
        self.will_close = self._check_close()  # type: ignore[attr-defined]
        self.length = int(lengths[0]) if lengths else None
        if self.status in {204, 304}:
            self.length = 0
        if not self.chunked and self.length is None:
            self.will_close = True

    def _read_next_chunk_size(self) -> int:
        line = self.fp.readline(_LONGEST_SIZE_LINE)
        found = _SIZE.match(line)
        if found is None:
            self._close_conn()  # type: ignore[attr-defined]
            raise ValueError("no chunk size")  # which http.client takes for a body that broke off
        return int(found[1], 16)

    def _read_and_discard_trailer(self) -> None:
        for _ in range(_MOST_TRAILERS):
            line = self.fp.readline(_LONGEST_SIZE_LINE)
            if line in {b"\r\n", b"\n", b""}:
                return
            if not line.endswith(b"\n"):
                break
        raise UpstreamGarbled("The answer's trailers are too long or too many.")
