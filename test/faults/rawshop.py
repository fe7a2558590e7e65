"""A shop on raw sockets that can misbehave in every way a test needs, switched while it runs, and that counts exactly.

    with RawShop(count=20) as shop:            # good at first: a DummyJSON-like list and items, with ETag and keep-alive
        shop.url                               # http://127.0.0.1:PORT
        shop.latency = 0.1                     # seconds before each answer
        shop.products[3]["price"] = 7.5        # what it sells; ids count up from 1
        shop.behave("body_drip", every=0.1)    # a name of BEHAVIOURS (test/faults/behaviours.py and bodies.py), with its options
        shop.behave("silent", only="/products/")   # only for targets that start so; the others are answered well
        shop.script("status", "good")          # the next requests, one each; afterwards what was set before
        shop.behave("good")
        shop.requests                          # every request that was read whole: .method .target .headers .body .connection .at
        shop.calls("/products/3")              # how many of these start so; all without an argument
        shop.connections                       # how many were accepted
        shop.open                              # how many are open now; shop.busiest: most requests under way at once
        shop.forget()                          # counts from zero

A behaviour goes on until the client hangs up, the shop is told to behave otherwise with ``release=True``, or it is closed. A request is
counted before it is answered, so a client that has an answer, or has given up, finds its call counted. The behaviours that are over
before any request is read (``reset_at_accept``, ``silent_at_accept``, ``tls_garbage``...) count a connection and no request; ``black_hole`` counts neither.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from test.faults.behaviours import AT_ACCEPT, BEHAVIOURS, Gone
from test.faults.bodies import prepare

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = "127.0.0.1"
BACKLOG = 4096
LARGEST_HEAD = 1 << 20
PULSE = 0.05


@dataclass(frozen=True)
class Request:
    """A request that was read whole; the names of its headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    at: float


class Call:
    """One request under way, as a behaviour sees it; ``request`` is None for those that act before one is read."""

    def __init__(self, shop: RawShop, sock: socket.socket, request: Request | None, generation: int) -> None:
        self.shop = shop
        self.sock = sock
        self.request = request
        self._generation = generation

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def wait(self, seconds: float) -> None:
        """Lets time pass; raises Gone as soon as the client hangs up or the shop wants everyone gone."""
        until = time.monotonic() + seconds
        hangs_up = select.poll()
        hangs_up.register(self.sock, select.POLLRDHUP)  # seen also behind data that nobody has read
        while (left := until - time.monotonic()) > 0:
            if self.shop.generation != self._generation or hangs_up.poll(1000 * min(left, PULSE)):
                raise Gone

    def answer(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Sends a well-formed answer."""
        all_headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
        self.send(head.encode("latin-1") + b"\r\n" + (b"" if self.is_head else body))

    @property
    def is_head(self) -> bool:
        return self.request is not None and self.request.method == "HEAD"

    def page(self, **literals: str) -> bytes:
        """The good body for this request; ``price="NaN"`` puts the literal in place of the first record's price."""
        return self.shop.find_answer(self.request.target, literals)[1]


class RawShop:
    def __init__(self, count: int = 20, latency: float = 0.0) -> None:
        self.products: dict[int, dict[str, Any]] = {number: make_product(number) for number in range(1, count + 1)}
        self.latency = latency
        self.requests: list[Request] = []
        self.connections = 0
        self.busiest = 0
        self.generation = 0
        self._under_way = 0
        self._current: tuple[str, str, dict[str, Any]] = ("good", "", {})
        self._script: list[str] = []
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._fillers: list[socket.socket] = []
        self._filler_ports: set[int] = set()
        self._closed = False

    def __enter__(self) -> Self:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=BACKLOG)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self.release()
        self._acceptor.join(10)
        self._listener.close()
        for filler in self._fillers:
            filler.close()
        for thread in self._threads:
            thread.join(10)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def open(self) -> int:
        return len(self._sockets)

    def behave(self, name: str, *, only: str = "", release: bool = False, **options: Any) -> None:
        """From the next request on; ``release`` also ends what is under way."""
        check_name(name)
        if name in AT_ACCEPT and only:
            raise ValueError(f"{name} acts before a request is read: only= cannot be known then")
        prepare(name, **options)
        if name == "black_hole":
            self._dig()
        self._current = (name, only, options)
        if name != "black_hole":
            self._fill_in()
        if release:
            self.release()

    def script(self, *names: str) -> None:
        """What the next requests get, one behaviour each."""
        for name in names:
            check_name(name)
            if name in AT_ACCEPT:
                raise ValueError(f"{name} acts before a request is read: it cannot be part of a script")
            prepare(name)
        with self._lock:
            self._script = list(names)

    def release(self) -> None:
        """Ends every behaviour that is under way; all connections are closed."""
        self.generation += 1
        for sock in tuple(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        with self._lock:
            self.requests, self.connections, self.busiest = [], 0, self._under_way

    def calls(self, start: str = "") -> int:
        return sum(request.target.startswith(start) for request in tuple(self.requests))

    # Accepting, and refusing to.

    def _accept(self) -> None:
        while not self._closed:
            if self._current[0] == "black_hole":
                time.sleep(PULSE)
                continue
            if not select.select([self._listener], [], [], PULSE)[0]:
                continue
            sock, address = self._listener.accept()
            if address[1] in self._filler_ports:
                self._filler_ports.discard(address[1])
                sock.close()
                continue
            self._start(sock)

    def _start(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self.connections += 1
            number = self.connections
            self._sockets.add(sock)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            thread = threading.Thread(target=self._serve, args=(sock, number), daemon=True)
            self._threads.append(thread)
        thread.start()

    def _dig(self) -> None:
        """Fills the queue of connections nobody accepts, so that the kernel drops every further SYN."""
        if self._fillers:
            return
        self._current = ("black_hole", "", {})
        time.sleep(3 * PULSE)  # the acceptor has seen it by then
        self._listener.listen(0)
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.bind((LOOPBACK, 0))
            self._filler_ports.add(filler.getsockname()[1])
            filler.connect_ex((LOOPBACK, self.port))
            self._fillers.append(filler)
            if not select.select([], [filler], [], 0.2)[1]:
                return  # this one was not taken any more
        raise AssertionError("the queue takes connections without end")

    def _fill_in(self) -> None:
        for filler in self._fillers:
            filler.close()
        if self._fillers:
            self._listener.listen(BACKLOG)
        self._fillers = []

    # One connection.

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            with sock, contextlib.suppress(Gone, OSError):
                self._talk(sock, number)
        finally:
            with self._lock:
                self._sockets.discard(sock)

    def _talk(self, sock: socket.socket, number: int) -> None:
        generation = self.generation
        name, _, options = self._current
        if name in AT_ACCEPT:
            BEHAVIOURS[name](Call(self, sock, None, generation), **options)
            return
        buffer = bytearray()
        while (request := read_request(sock, buffer, number, lambda: self.generation != generation)) is not None:
            name, options = self._register(request)
            try:
                stays = BEHAVIOURS[name](Call(self, sock, request, generation), **options)
            finally:
                with self._lock:
                    self._under_way -= 1
            if not stays or request.headers.get("connection", "").lower() == "close":
                return

    def _register(self, request: Request) -> tuple[str, dict[str, Any]]:
        with self._lock:
            self.requests.append(request)
            self._under_way += 1
            self.busiest = max(self.busiest, self._under_way)
            name, only, options = self._current
            if self._script:
                return self._script.pop(0), {}
        if name in AT_ACCEPT or not request.target.startswith(only):
            return "good", {}  # those act on connections; this one was accepted before
        return name, options

    # What it sells.

    def find_answer(self, target: str, literals: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """The status and body a good shop has for a target."""
        parts = urlsplit(target)
        if parts.path == "/products":
            query = parse_qs(parts.query)
            skip, limit = int(query.get("skip", ["0"])[0]), int(query.get("limit", ["30"])[0])
            chosen = list(self.products.values())[skip:][: limit or None]
            page = {"products": chosen, "total": len(self.products), "skip": skip, "limit": len(chosen)}
            return 200, dump(page, literals)
        key = parts.path.removeprefix("/products/")
        product = self.products.get(int(key)) if key.isdecimal() else None
        if product is None:
            return 404, dump({"message": f"Product with id '{key}' not found"})
        return 200, dump(product, literals)


def check_name(name: str) -> None:
    if name not in BEHAVIOURS:
        raise ValueError(f"{name}: no such behaviour; allowed: {', '.join(sorted(BEHAVIOURS))}")


def make_product(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "title": f"Raw thing {number}",
        "description": "Sold over a raw socket.",
        "category": "things",
        "brand": "Rawly",
        "price": 10 + number / 4,
        "stock": number,
        "availabilityStatus": "In Stock",
        "sku": f"RAW-{number}",
    }


def dump(content: Any, literals: Mapping[str, str] | None = None) -> bytes:
    """JSON in which the first record's named fields have these literal texts, whether they are JSON or not."""

    def mark(found: dict[str, Any]) -> dict[str, Any]:
        return {name: f"@{name}@" if name in (literals or {}) else value for name, value in found.items()}

    if "products" in content:
        first, rest = content["products"][:1], content["products"][1:]
        content = {**content, "products": [*map(mark, first), *rest]}
    else:
        content = mark(content)
    text = json.dumps(content)
    for name, literal in (literals or {}).items():
        text = text.replace(f'"@{name}@"', literal)
    return text.encode("utf-8", "surrogatepass")


def read_request(sock: socket.socket, buffer: bytearray, number: int, is_over: Any) -> Request | None:
    """The connection's next request; None when the client hangs up or the shop wants it gone."""

    def fill() -> bool:
        while not is_over():
            if select.select([sock], [], [], PULSE)[0]:
                data = sock.recv(65536)
                buffer.extend(data)
                return bool(data)
        return False

    while b"\r\n\r\n" not in buffer:
        if len(buffer) > LARGEST_HEAD or not fill():
            return None
    head, _, _ = bytes(buffer).partition(b"\r\n\r\n")
    del buffer[: len(head) + 4]
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(buffer) < length:
        if not fill():
            return None
    body = bytes(buffer[:length])
    del buffer[:length]
    method, target, *_ = first.split(" ")
    return Request(method, target, headers, body, number, time.monotonic())
