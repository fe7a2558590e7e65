"""Small shops that misbehave over real HTTP: one switch a fault."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from sample.generate import generated_app

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HANG_SECONDS = 30


class FaultyShop:
    """A DummyJSON-like shop that is good until its ``fault`` names something else.

    A fault is the name of a method below, or None.
    """

    def __init__(self, count: int = 60, seed: int = 1) -> None:
        self.app: WSGIApplication = generated_app(count, seed)
        self.fault: str | None = None
        self.retry_after = "30"
        self.calls = 0
        self.asked = threading.Event()
        self.released = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.calls += 1
        self.asked.set()
        answer = getattr(self, self.fault) if self.fault else self.good
        return answer(environ)(environ, start_response)

    def restock(self, count: int) -> None:
        """Become a shop of that many products; the first ones are the same as before."""
        self.app = generated_app(count)

    def good(self, environ: WSGIEnvironment) -> Response:
        body, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return Response(b"".join(body), status, headers)

    def html(self, _: WSGIEnvironment) -> Response:
        return Response("<!DOCTYPE html><h1>We are down for maintenance</h1>", mimetype="text/html")

    def truncated(self, environ: WSGIEnvironment) -> Response:
        body = self.good(environ).get_data()
        return Response(body[: len(body) // 2], mimetype="application/json")

    def broken_off(self, environ: WSGIEnvironment) -> Response:
        """Promise more than is sent, and hang up."""
        body = self.good(environ).get_data()
        return Response([body[: len(body) // 2]], headers={"Content-Length": str(len(body)), "Connection": "close"})

    def empty(self, _: WSGIEnvironment) -> Response:
        return Response(b"", mimetype="application/json")

    def lying_total(self, environ: WSGIEnvironment) -> Response:
        page = orjson.loads(self.good(environ).get_data())
        return json_response({**page, "total": page["total"] + 7})

    def no_total(self, environ: WSGIEnvironment) -> Response:
        return json_response({"products": orjson.loads(self.good(environ).get_data())["products"]})

    def same_page(self, _: WSGIEnvironment) -> Response:
        """The first page of a larger shop, whatever page was asked for."""
        page = orjson.loads(run_wsgi_app(self.app, {**_, "QUERY_STRING": "limit=20"}, buffered=True)[0][0])
        return json_response({**page, "total": 400})

    def endless(self, environ: WSGIEnvironment) -> Response:
        """New products for ever, as many as are asked for."""
        skip = int(parse_qs(environ["QUERY_STRING"]).get("skip", ["0"])[0])
        products = [{"id": skip + n, "title": f"Endless {skip + n}", "price": 1} for n in range(20)]
        return json_response({"products": products, "total": 10_000_000})

    def throttled(self, _: WSGIEnvironment) -> Response:
        return Response("slow down", 429, {"Retry-After": self.retry_after})

    def broken(self, _: WSGIEnvironment) -> Response:
        return Response("Internal Server Error", 500)

    def redirecting(self, _: WSGIEnvironment) -> Response:
        return Response("", 302, {"Location": "http://elsewhere.example/"})

    def hanging(self, environ: WSGIEnvironment) -> Response:
        self.released.wait(HANG_SECONDS)
        return self.good(environ)


def json_response(content: Any) -> Response:
    return Response(orjson.dumps(content), mimetype="application/json")


def shopify_app(pages: Iterable[list[dict[str, Any]]]) -> WSGIApplication:
    """A storefront whose page N is the Nth of these, however many are asked for."""
    known: list[list[dict[str, Any]]] = []
    source, lock = iter(pages), threading.Lock()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        number = int(parse_qs(environ["QUERY_STRING"]).get("page", ["1"])[0])
        with lock:
            known.extend(itertools.islice(source, max(0, number - len(known))))
            page = known[number - 1] if number <= len(known) else []
        return json_response({"products": page})(environ, start_response)

    return app


def shopify_product(number: int, **more: Any) -> dict[str, Any]:
    variant = {"id": number * 10, "title": "Default Title", "price": "19.99", "available": True}
    return {"id": number, "title": f"Thing {number}", "handle": f"thing-{number}", "variants": [variant], **more}


@contextmanager
def raw_server(answer: bytes | None) -> Iterator[str]:
    """A server that sends these bytes and hangs up, or resets the connection when there are none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    if answer is None:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    else:
                        with suppress(OSError):  # whoever asked may have seen enough
                            connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)
