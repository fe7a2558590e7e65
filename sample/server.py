"""Serves a WSGI application over real HTTP/1.1, in a thread for tests or in the foreground for people."""

import io
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import ClosingIterator

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.02


class _Handler(WSGIRequestHandler):
    """Keeps connections alive and logs no request."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet, at once: two small ones would wait for a delayed ACK in between.
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def run_wsgi(self) -> None:
        """Answer one request and leave the connection ready for the next; Werkzeug's own version ends it."""
        body, status, headers = run_wsgi_app(self.server.app, self._read_request())
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            if self.command != "HEAD":
                self._write(body)
        finally:
            if isinstance(body, ClosingIterator):
                body.close()

    def _write(self, body: Iterable[bytes]) -> None:
        """Send the body; each part of several as soon as the next one is there, so that a slow one is seen to be slow."""
        for number, part in enumerate(body):
            if number:
                self.wfile.flush()
            self.wfile.write(part)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: a demo and a benchmark both make thousands of requests."""

    def _read_request(self) -> WSGIEnvironment:
        """Return the request with its body already read, so that none of it is taken for the next request."""
        environ = self.make_environ()
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self.close_connection = True
        else:
            environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(length)))
        return environ


class _Server(ThreadedWSGIServer):
    """A threaded server that can hang up on its kept-alive connections."""

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        self._connections: set[Any] = set()
        super().__init__(host, port, app, handler=_Handler)

    @property
    def url(self) -> str:
        """Return the base URL, without a slash at its end."""
        return f"http://{self.host}:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its thread and remember it."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every open connection, so that a stopped shop is really down for clients with a pool."""
        for connection in tuple(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@contextmanager
def running(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve the application on a loopback port in a thread; the value is its base URL."""
    server = _Server(LOOPBACK, port, app)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()


def serve(app: WSGIApplication, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve the application until a signal ends the process; announce gets the base URL."""
    server = _Server(host, port, app)
    announce(server.url)
    server.serve_forever(POLL_SECONDS)


def exit_on_signals() -> None:
    """Let SIGTERM and Ctrl-C end the process at once, successfully."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)


def _exit(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)
