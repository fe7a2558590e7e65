"""Shops that misbehave below HTTP, and the calls of a crawl made one after the other."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Self

from werkzeug import Request, Response

from main.service.errors import RecordRejected
from main.service.model import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from wsgiref.types import WSGIApplication

    from main.resources.upstream.base import BaseConnector
    from main.service.model import Product

Answer = bytes | list[bytes]


def reply(body: bytes = b"[]", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Give a whole HTTP answer; ``length`` lies about the body."""
    told = f"Content-Length: {len(body) if length is None else length}"
    return "\r\n".join([f"HTTP/1.1 {status}", told, "Connection: close", *headers, "", ""]).encode() + body


class Listening:
    """Listens on a loopback port and takes each connection with :meth:`take`, from entering to leaving the block."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._acceptor = threading.Thread(target=self._serve)
        self._workers: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.hang_up()
        for worker in self._workers:
            worker.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._workers.append(self.take(connection, len(self._workers)))
            self._workers[-1].start()

    def take(self, connection: socket.socket, number: int) -> threading.Thread:
        """Give the thread that answers the connection; they are counted from 0."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """End what is under way, once nobody is let in any more."""
        raise NotImplementedError


class RawShop(Listening):
    """Sends the answers in turn, the last one again and again; an answer in pieces drips one piece each 50 ms, then hangs.

    An empty list is accepted and never answered.
    """

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[bytes] = []
        self._answers = answers
        self._over = threading.Event()
        super().__init__()

    def take(self, connection: socket.socket, number: int) -> threading.Thread:
        answer = self._answers[min(number, len(self._answers) - 1)]
        return threading.Thread(target=self._answer, args=(connection, answer))

    def hang_up(self) -> None:
        self._over.set()

    def _answer(self, connection: socket.socket, answer: Answer) -> None:
        with connection:
            self.requests.append(connection.recv(65536))
            try:
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                    return
                for piece in answer:
                    connection.sendall(piece)
                    if self._over.wait(0.05):
                        return
            except OSError:
                return
            self._over.wait()


class KeepingShop(Listening):
    """Keeps connections open and answers so many requests on each, then hangs up on the next without a word."""

    def __init__(
        self, *, each: int, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", wait: float = 0
    ) -> None:
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.requests: list[bytes] = []
        self._each, self._answer, self._wait = each, answer, wait
        self._lock = threading.Lock()
        self._taken: list[socket.socket] = []
        super().__init__()

    def take(self, connection: socket.socket, number: int) -> threading.Thread:
        with self._lock:
            self.connections = number + 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self._taken.append(connection)
        return threading.Thread(target=self._keep, args=(connection,))

    def hang_up(self) -> None:
        for connection in self._taken:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _keep(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            for _ in range(self._each):
                request = connection.recv(65536)
                if not request:
                    break
                self.requests.append(request)
                time.sleep(self._wait)
                connection.sendall(self._answer)
            else:
                self.requests.append(connection.recv(65536))
        with self._lock:
            self.open -= 1


@contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """An address that takes no connection and refuses none: its queue is full, so that the system drops what knocks."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def canned(make: Callable[[Request], Response]) -> WSGIApplication:
    """Give an application that answers each request with what the function makes of it."""
    return Request.application(make)


def crawl(connector: BaseConnector) -> tuple[list[bytes], list[Hashable]]:
    """Make every call of a crawl once; give the records and the calls made."""
    records: list[bytes] = []
    waiting: list[Hashable] = [None]
    made: list[Hashable] = []
    while waiting:
        call = waiting.pop(0)
        if call not in made:
            made.append(call)
            page = connector.fetch(call)
            records += page.records
            waiting += page.upcoming
    return records, made


def load_all(
    connector: BaseConnector, records: Iterable[bytes]
) -> tuple[list[Product], dict[str | None, list[tuple[str, str]]]]:
    """Map every record; give the products, and the faults of the others by their ids."""
    products, rejected = [], {}
    for raw in records:
        try:
            products.append(connector.load(raw))
        except RecordRejected as error:
            rejected[error.record_id] = [(fault.field, fault.reason) for fault in error.faults]
    return products, rejected


def look(connector: BaseConnector, *wanted: str | Wanted, seconds: float = 5) -> dict[str, bytes]:
    """Look at these products, given by id or whole; give the raw records by id."""
    asked = [one if isinstance(one, Wanted) else Wanted(one) for one in wanted]
    return dict(connector.look(asked, time.monotonic() + seconds))
