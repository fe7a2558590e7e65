"""What a RawShop can do on the wire: one function a behaviour, in BEHAVIOURS by its name; docs in each. More are in bodies.py.

A behaviour gets the call (see rawshop.Call) and its own options, and returns True when the connection stays open for another request.
AT_ACCEPT names those that act before a request is read.
"""

from __future__ import annotations

import hashlib
import itertools
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from test.faults.rawshop import Call

FOREVER = 3600.0
MIB = 1 << 20
BEHAVIOURS: dict[str, Callable[..., bool]] = {}
AT_ACCEPT: set[str] = set()
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Gone(Exception):
    """The client hung up, or the shop wants everyone gone."""


def behaviour(function: Callable[..., bool | None]) -> Callable[..., bool | None]:
    BEHAVIOURS[function.__name__] = lambda call, **options: bool(function(call, **options))
    return function


def at_accept(function: Callable[..., bool | None]) -> Callable[..., bool | None]:
    AT_ACCEPT.add(function.__name__)
    return behaviour(function)


def reset(call: Call) -> None:
    """Closes so that the client gets a reset."""
    call.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def make_etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def drip(call: Call, data: bytes, every: float) -> None:
    for byte in data:
        call.send(bytes([byte]))
        call.wait(every)


def flood(call: Call, data: bytes) -> None:
    """The same bytes until the client has had enough."""
    while True:
        call.send(data)
        call.wait(1e-6)


# Good ones.


@behaviour
def good(call: Call, latency: float | None = None) -> bool:
    """The list or item that was asked for, with an ETag; 304 to who has it already."""
    call.wait(call.shop.latency if latency is None else latency)
    status, body = call.shop.find_answer(call.request.target)
    etag = make_etag(body)
    if status == 200 and call.request.headers.get("if-none-match") == etag:
        call.send(f"HTTP/1.1 304 X\r\nETag: {etag}\r\n\r\n".encode())
    else:
        call.answer(body, status, {"ETag": etag} if status == 200 else None)
    return True


@behaviour
def kept_alive_then_closed(call: Call) -> None:
    """A good answer that promises to stay, and a closed connection before the next call."""
    good(call)


# Before a request is read.


@at_accept
def black_hole(call: Call) -> None:
    """Is never called: the shop accepts nothing, and a full queue has the kernel drop every SYN."""
    raise Gone


@at_accept
def silent_at_accept(call: Call) -> None:
    """Accepts and neither reads nor answers."""
    while True:
        call.wait(FOREVER)


@at_accept
def reset_at_accept(call: Call) -> None:
    """Resets each connection at once."""
    reset(call)


@at_accept
def tls_garbage(call: Call) -> None:
    """What a TLS server says to plain HTTP: an alert record (fatal, protocol_version)."""
    call.send(b"\x15\x03\x01\x00\x02\x02\x46")
    call.wait(0.2)


@at_accept
def ssh_banner(call: Call) -> None:
    """Another protocol altogether."""
    call.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    call.wait(0.2)


# Silence and hanging up.


@behaviour
def silent(call: Call) -> None:
    """Reads the request and never answers."""
    call.wait(FOREVER)


@behaviour
def reset_after_request(call: Call) -> None:
    """Reads the request and resets."""
    reset(call)


@behaviour
def hang_up(call: Call) -> None:
    """Reads the request and closes without a word."""


@behaviour
def hang_up_in_body(call: Call, reset_it: bool = False) -> None:  # noqa: FBT001, FBT002 - an option by name
    """Half of a body of a known length, then the end, or a reset."""
    body = call.page()
    call.send(JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])
    if reset_it:
        call.wait(0.1)
        reset(call)


@behaviour
def slow_close(call: Call, seconds: float = FOREVER) -> None:
    """A whole body whose end only the closed connection tells, and that takes its time."""
    call.send(JSON_HEAD + b"Connection: close\r\n\r\n" + call.page())
    call.wait(seconds)


# Drips.


@behaviour
def header_drip(call: Call, every: float = 0.1) -> None:
    """A good answer whose head comes byte by byte."""
    body = call.page()
    drip(call, JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(body), every)
    call.send(body)


@behaviour
def body_drip(call: Call, every: float = 0.1) -> None:
    """A good answer whose body comes byte by byte."""
    body = call.page()
    call.send(JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
    drip(call, body, every)


@behaviour
def chunked_drip(call: Call, every: float = 0.1) -> None:
    """A good answer in chunks of one byte."""
    call.send(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for byte in call.page():
        call.send(b"1\r\n%c\r\n" % byte)
        call.wait(every)
    call.send(b"0\r\n\r\n")


# Without end.


@behaviour
def endless_header(call: Call) -> None:
    """One header line that never ends."""
    call.send(JSON_HEAD + b"X-Long: ")
    flood(call, b"a" * 16384)


@behaviour
def endless_headers(call: Call) -> None:
    """Header lines that never end."""
    call.send(JSON_HEAD)
    for number in itertools.count():
        call.send(b"X-Many-%d: %b\r\n" % (number, b"a" * 1024))
        call.wait(1e-6)


@behaviour
def many_headers(call: Call, count: int = 101, size: int = 10) -> bool:
    """A good answer with so many more headers of so many bytes."""
    call.answer(call.page(), headers={f"X-Many-{number}": "a" * size for number in range(count)})
    return True


@behaviour
def endless_body(call: Call) -> None:
    """Spaces for ever."""
    call.send(JSON_HEAD + b"\r\n")
    flood(call, b" " * 65536)


@behaviour
def endless_chunks(call: Call) -> None:
    """Chunks of spaces for ever."""
    call.send(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    flood(call, b"10000\r\n" + b" " * 65536 + b"\r\n")


@behaviour
def endless_chunk_line(call: Call) -> None:
    """A chunk size line that never ends."""
    call.send(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;x=")
    flood(call, b"a" * 16384)


@behaviour
def informational_flood(call: Call, status: int = 103) -> None:
    """Interim answers without end."""
    flood(call, b"HTTP/1.1 %d X\r\nX-Hint: a\r\n\r\n" % status * 500)


@behaviour
def large_body(call: Call, size: int = 9 * MIB) -> bool:
    """A good answer with this many bytes of white space behind it."""
    call.answer(call.page() + b" " * size)
    return True


# Lengths and chunks that lie.


def _answer_with(call: Call, *headers: bytes, body: bytes | None = None) -> None:
    call.send(JSON_HEAD + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + (call.page() if body is None else body))


@behaviour
def length_negative(call: Call) -> None:
    _answer_with(call, b"Content-Length: -5")


@behaviour
def length_garbled(call: Call) -> None:
    _answer_with(call, b"Content-Length: many")


@behaviour
def length_twice(call: Call) -> None:
    """Two lengths that disagree."""
    length = len(call.page())
    _answer_with(call, b"Content-Length: %d" % length, b"Content-Length: %d" % (length // 2))


@behaviour
def length_and_chunks(call: Call) -> None:
    """A length and chunks, which RFC 9112 section 6.3 takes for an attack."""
    body = call.page()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    _answer_with(call, b"Content-Length: 5", b"Transfer-Encoding: chunked", body=chunked)


@behaviour
def length_too_long(call: Call) -> None:
    """Promises more than it sends, and stays silent."""
    _answer_with(call, b"Content-Length: %d" % (len(call.page()) + 100))
    call.wait(FOREVER)


@behaviour
def length_too_short(call: Call) -> bool:
    """Sends more than it promises: the rest looks like the next answer."""
    _answer_with(call, b"Content-Length: %d" % (len(call.page()) // 2))
    return True


@behaviour
def length_huge(call: Call) -> None:
    """Promises a terabyte, sends little, and stays silent."""
    _answer_with(call, b"Content-Length: %d" % (1 << 40))
    call.wait(FOREVER)


@behaviour
def chunks_garbled(call: Call) -> None:
    """A chunk size that is no number."""
    _answer_with(call, b"Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n")


# Statuses and redirects.


@behaviour
def status(call: Call, code: int = 503, headers: Mapping[str, str] | None = None, body: bytes = b'{"message": "no"}') -> bool:
    call.wait(call.shop.latency)
    call.answer(body, code, headers)
    return True


@behaviour
def throttle(call: Call, retry_after: str = "3", code: int = 429) -> bool:
    return status(call, code, {"Retry-After": retry_after})


@behaviour
def redirect(call: Call, to: str | None = None, code: int = 302) -> bool:
    """To another address, or to itself."""
    return status(call, code, {"Location": call.request.target if to is None else to}, b"")


@behaviour
def redirect_to_bad_url(call: Call) -> bool:
    return redirect(call, "http://[bad:::1")


@behaviour
def http09(call: Call) -> None:
    """A body without any head."""
    call.send(call.page())


@behaviour
def garbage(call: Call) -> None:
    """Bytes that are nothing."""
    call.send(bytes(range(256)) * 4)
