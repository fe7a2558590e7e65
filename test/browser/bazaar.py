"""A shop whose texts try to be orders to a browser, with pictures of its own; small enough to be read whole."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

# Each would leave a mark that `window.pwned` or an alert tells of, were it taken for anything but text.
ATTACKS = {
    "script": "<script>window.pwned=1</script>",
    "image": '<img src=x onerror="window.pwned=1">',
    "quote": '"><svg onload=window.pwned=1>',
    "single": "' autofocus onfocus='window.pwned=1",
    "template": "{{ 7*7 }}{% raw %}${7*7}",
    "closing": "</title></script><script>alert(1)</script>",
    "frame": "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "override": "safe\u202egnp.exe",
}
ADDRESSES = {
    "script": "javascript:window.pwned=1",
    "image": "data:text/html,<script>parent.pwned=1</script>",
    "quote": 'https://bazaar.example/"onmouseover="window.pwned=1',
    "single": "https://user:word@bazaar.example/x",
    "template": "//evil.example/x",
    "closing": "JaVaScRiPt:window.pwned=1",
    "frame": "vbscript:x",
    "override": "https://bazaar.example/<script>",
}
ARABIC = "مصباح مكتب نحاسي"
BAD = {"code": "bad-1", "title": ATTACKS["image"], "price": "-5.00", "maker": ATTACKS["script"]}
COLOURS = ("#d98c5f", "#5f9bd9", "#79b26b", "#c76b98", "#c7b26b", "#7a6bc7", "#5fb8b0", "#9a9a9a")


def make_records(base: str) -> list[dict[str, Any]]:
    hostile = [
        {
            "code": f"xss-{name}",
            "title": f"{name} {text}",
            "maker": f"Maker {text}",
            "text": f"Description {text}",
            "kind": f"Kind {text}",
            "price": f"{10 + number}.50",
            "sku": text,
            "page": ADDRESSES[name],
            "pictures": [ADDRESSES[name], "http://elsewhere.example/tracker.png", f"{base}/picture/{number}.png"],
            "forms": [{"code": f"f-{number}", "name": text, "price": "10.50", "stock": 3, "size": text}],
        }
        for number, (name, text) in enumerate(ATTACKS.items())
    ]
    honest = [
        {
            "code": f"rug-{number}",
            "title": f"Woven rug {number}",
            "maker": "Anatol",
            "text": "Wool on cotton, 120 x 180 cm.\nMade by hand.",
            "kind": "Rugs",
            "price": f"{40 + number}.00",
            "sku": f"R-{number}",
            "page": f"https://bazaar.example/rug/{number}",
            "pictures": [f"{base}/picture/{number}.png"],
            "forms": [],
        }
        for number in range(60)
    ]
    arabic = {
        "code": "ar-1",
        "title": ARABIC,
        "maker": "نور",
        "text": "مصباح من النحاس، ضوء دافئ.",
        "kind": "Lamps",
        "price": "89.00",
        "sku": "AR-1",
        "page": "https://bazaar.example/ar",
        "pictures": [f"{base}/missing.png"],
        "forms": [],
    }
    return [*hostile, *honest, arabic, BAD, {**honest[0], "title": "Woven rug 0, again"}]


class Bazaar:
    """The shop as a WSGI application; ``price`` is what it asks for rug 1 now."""

    def __init__(self) -> None:
        self.price = "41.00"
        self.base = ""

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/picture/"):
            return self._give(start, draw(COLOURS[int(path[9:-4]) % len(COLOURS)]), "image/png")
        records = make_records(self.base)
        if path == "/items":
            return self._give(start, json.dumps(records).encode(), "application/json")
        found = [record for record in records if path == f"/items/{record['code']}"]
        if not found:
            start("404 Not Found", [("Content-Length", "0")])
            return []
        one = {**found[0], "price": self.price} if found[0]["code"] == "rug-1" else found[0]
        return self._give(start, json.dumps(one).encode(), "application/json")

    def _give(self, start: StartResponse, body: bytes, kind: str) -> list[bytes]:
        start("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]


def describe(base: str) -> dict[str, Any]:
    """The shop as an entry of config.yml."""
    variants = {"items": "forms", "id": "code", "name": "name", "price": "price", "stock": "stock", "options": {"Size": "size"}}
    return {
        "name": "bazaar",
        "kind": "mapped",
        "url": base,
        "currency": "EUR",
        "every": "1h",
        "auth": {"header": {"name": "X-Api-Key", "value": "${BAZAAR_KEY}"}},
        "list": {"path": "/items", "page": {"style": "none"}},
        "item": {"path": "/items/{id}"},
        "fields": {
            "id": "code",
            "name": "title",
            "brand": "maker",
            "description": "text",
            "category": "kind",
            "price": "price",
            "sku": "sku",
            "url": "page",
            "images": "pictures",
            "variants": variants,
        },
    }


def draw(colour: str) -> bytes:
    """A small picture of one colour, as PNG."""
    pixel = bytes.fromhex(colour[1:])
    width, height = 40, 30
    rows = b"".join(b"\0" + pixel * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
