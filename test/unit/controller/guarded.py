"""The application behind a door, and every call there is, taken from its Swagger document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from main.app import create_app
from main.settings.model import Auth
from test.fakes import FakeClock, FakeDoor, MemoryCatalogue, MemoryCounters, MemoryGuardBook, make_product, put_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from main.settings import Settings

FILLED = {"{product_id}": "lumen:1", "{name}": "lumen", "{number}": "1"}
PAGE = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}


@dataclass(frozen=True)
class Call:
    """One operation of the document, with what makes a right request of it."""

    path: str
    method: str
    role: str
    body: Any

    @property
    def url(self) -> str:
        url = self.path
        for part, value in FILLED.items():
            url = url.replace(part, value)
        return url

    @property
    def changes(self) -> bool:
        return self.method not in {"get", "head"}

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def example_of_body(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The body that Swagger UI proposes: the examples of all fields; None for an operation without one."""
    for each in operation.get("parameters", []):
        if each["in"] == "body":
            definition = document["definitions"][each["schema"]["$ref"].rpartition("/")[2]]
            return {name: field["example"] for name, field in definition["properties"].items()}
    return None


class Guarded:
    """An application over a catalogue in memory; ``auth`` are its settings."""

    def __init__(self, settings: Settings, **auth: Any) -> None:
        self.store, self.door, self.book = MemoryCatalogue(), FakeDoor(), MemoryGuardBook()
        self.counters = MemoryCounters(FakeClock())  # its own: every login of a test comes from the same address
        for source in settings.sources:
            put_snapshot(self.store, source.name, [make_product(1, source.name)])
        self.store.request("lumen", make_product().fetched_at, force=False)
        parts = {"reader": self.store, "board": self.store, "book": self.book, "door": self.door, "counters": self.counters}
        self.app = create_app(replace(settings, auth=Auth(**auth)), **parts)
        self.document = self.ask("GET", "/swagger.json").json

    def ask(self, method: str, url: str, token: str | None = None, **given: Any) -> TestResponse:
        """The answer to a client that keeps no cookies; ``token`` goes into the Authorization header."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        client = self.app.test_client(use_cookies=False)
        return client.open(url, method=method, **{**given, "headers": {**headers, **given.get("headers", {})}})

    def calls(self) -> Iterator[Call]:
        """Every operation, HEAD included."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                yield Call(path, method, operation["x-role"], example_of_body(self.document, operation))
                if method == "get":
                    yield Call(path, "head", operation["x-role"], None)

    def prove(self, cookie: str, base: str = "http://localhost") -> dict[str, str]:
        """What a page of ours sends with the cookie's calls."""
        told = self.ask("GET", "/auth/me", headers={"Cookie": cookie}, base_url=base).json
        return {"Cookie": cookie, **PAGE, "Origin": base, "X-CSRF-Token": told["csrf_token"]}

    def send(self, call: Call, headers: dict[str, str]) -> TestResponse:
        """The answer to a call."""
        body = {} if call.body is None else {"json": call.body}
        return self.ask(call.method.upper(), call.url, headers=headers, **body)

    def reset(self) -> None:
        """Have the door as it was, with what the document's examples name, and nothing counted."""
        self.counters.open.clear()
        self.door.__init__()
        self.door.refreshes["eyJhbGciOi..."] = "ada"
