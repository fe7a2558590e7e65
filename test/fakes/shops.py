"""Shops that answer what a test has written down."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import orjson

from main.service.errors import RecordRejected
from main.service.model import Fault, Remark
from main.service.ports.upstream import CrawlPage
from test.fakes.builders import make_product

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from typing import Any

    from main.service.errors import UpstreamHeld
    from main.service.model import Product, Wanted


def raw_record(source_id: object, name: str | None = None, **more: Any) -> bytes:
    """A record as :class:`FakeConnector` maps it; ``fault`` makes it invalid, ``crash`` makes the mapping break."""
    return orjson.dumps({"id": str(source_id), "name": name or f"Lamp {source_id}", **more})


class FakeConnector:
    """A shop whose answers are written down: each call gives a page, raises, or runs a function that does."""

    def __init__(self, answers: Mapping[Hashable | None, Any], *, source: str = "acme", fingerprint: bytes = b"1") -> None:
        self.answers = answers
        self.asked: list[Hashable | None] = []
        self.closed = 0
        self.fingerprint = fingerprint
        self._source = source
        self._lock = threading.Lock()

    def fetch(self, call: Hashable | None) -> CrawlPage:
        with self._lock:
            self.asked.append(call)
        answer = self.answers[call]
        answer = answer() if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, CrawlPage) else CrawlPage(tuple(answer))

    look_size = 0
    held: UpstreamHeld | None = None

    def find_hold(self) -> UpstreamHeld | None:
        return self.held

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        raise NotImplementedError

    def load(self, raw: bytes) -> Product:
        record = orjson.loads(raw)
        if "crash" in record:
            raise ZeroDivisionError(record["crash"])
        if "fault" in record:
            raise RecordRejected([Fault("price", record["fault"])], record["id"])
        return make_product(record["id"], self._source, name=record["name"], price=record.get("price", 1999))

    def find_left_out(self, raw: bytes, product: Product) -> Sequence[Remark]:
        return [Remark(*remark) for remark in orjson.loads(raw).get("left_out", ())]

    def close(self) -> None:
        self.closed += 1


class FakeShop(FakeConnector):
    """A shop that can be looked at: ``stock`` is its records by id, ``trouble`` what it raises or does first."""

    def __init__(self, source: str = "acme", *, size: int = 1, **stock: Any) -> None:
        super().__init__({}, source=source)
        self.look_size = size
        self.stock: dict[str, bytes] = {
            key.lstrip("_"): raw_record(key.lstrip("_"), price=value) for key, value in stock.items()
        }
        self.looked: list[tuple[str, ...]] = []
        self.trouble: Any = None

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        with self._lock:
            self.looked.append(tuple(each.source_id for each in wanted))
        trouble = self.trouble(deadline) if callable(self.trouble) else self.trouble
        if isinstance(trouble, Exception):
            raise trouble
        return {each.source_id: self.stock[each.source_id] for each in wanted if each.source_id in self.stock}
