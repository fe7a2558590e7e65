"""Puts several shops under one address, each below its own path."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Response, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from sample.dialects.web import answer_object, new_app


@dataclass(frozen=True)
class Shop:
    """One mounted shop: its path prefix without slashes around it, its kind and where its list is."""

    name: str
    kind: str
    list_path: str
    records: int
    app: WSGIApplication = field(repr=False)

    def describe(self, base_url: str) -> dict[str, str | int]:
        """Return what the index says about the shop."""
        return {"name": self.name, "kind": self.kind, "url": f"{base_url}/{self.name}{self.list_path}", "records": self.records}


def mount(shops: Sequence[Shop]) -> WSGIApplication:
    """Return one application with every shop below its name and an index at the root."""
    index = new_app("index")

    @index.get("/")
    def list_shops() -> Response:
        return answer_object({"shops": [shop.describe(request.host_url.rstrip("/")) for shop in shops]})

    index.register_error_handler(404, lambda _: answer_object({"message": "No such shop."}, 404))
    return DispatcherMiddleware(index, {f"/{shop.name}": shop.app for shop in shops})


def delayed(app: WSGIApplication, milliseconds: int) -> WSGIApplication:
    """Return the application with every answer postponed."""
    if milliseconds <= 0:
        return app

    def wait_and_answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        time.sleep(milliseconds / 1000)
        return app(environ, start_response)

    return wait_and_answer
