"""Several shops in one process that cost next to nothing: answers made beforehand, a latency, and a switch that makes one silent.

/s3/products, /s3/products/17      a DummyJSON-like shop, as many as asked for: s0, s1, ...
/_set?latency_ms=100&silent=s3     from now on; without silent, none is
/_calls                            how many looks at single products were asked for so far, shop by shop; begins anew
"""

from __future__ import annotations

import argparse
import asyncio
import selectors
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson


def make_product(number: int) -> dict[str, Any]:
    """Give an invented product; those of one number have one name in all shops."""
    title = f"Thing {number:05}"
    return {"id": number, "title": title, "price": number + 0.5, "stock": number % 90 + 1, "availabilityStatus": "In Stock"}


class Shops:
    """What all connections share."""

    def __init__(self, count: int) -> None:
        self.latency = 0.0
        self.silent = ""
        self.calls: Counter[str] = Counter()
        products = [make_product(number) for number in range(1, count + 1)]
        self._items = {str(product["id"]): _answer(product) for product in products}
        self._list = _answer({"products": products, "total": count, "skip": 0, "limit": count})
        self._end = _answer({"products": [], "total": count, "skip": count, "limit": 0})

    def find(self, target: str) -> tuple[str, bytes]:
        """Give the shop that is meant, empty for orders to all of them, and its answer."""
        parts = urlsplit(target)
        shop, _, rest = parts.path[1:].partition("/")
        if shop.startswith("_"):
            return "", self._obey(shop, parse_qs(parts.query))
        if rest == "products":
            skip = int(parse_qs(parts.query).get("skip", ["0"])[0])
            return shop, self._end if skip else self._list
        self.calls[shop] += 1
        return shop, self._items.get(rest.removeprefix("products/"), _answer({}, 404))

    def _obey(self, order: str, options: dict[str, list[str]]) -> bytes:
        if order == "_calls":
            calls, self.calls = self.calls, Counter()
            return _answer(calls)
        self.latency = int(options.get("latency_ms", ["0"])[0]) / 1000
        self.silent = options.get("silent", [""])[0]
        return _answer({})


def _answer(content: Any, status: int = 200) -> bytes:
    body = orjson.dumps(content)
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


class Connection(asyncio.Protocol):
    """One client's connection; requests on it come one after the other."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops
        self._heard = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole; a body is not expected."""
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            shop, answer = self._shops.find(head.split(b" ", 2)[1].decode())
            if not shop:
                self._transport.write(answer)
            elif shop != self._shops.silent:
                asyncio.get_running_loop().call_later(self._shops.latency, self._transport.write, answer)


async def serve(port: int, count: int) -> None:
    """Serve until the process is ended."""
    shops = Shops(count)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(shops), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=200)
    asked = parser.parse_args()
    # select, because epoll counts in whole milliseconds and rounds up: a shop of 100 ms would be one of 100 to 101.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(serve(asked.port, asked.count))
