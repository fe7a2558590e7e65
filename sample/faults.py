"""Makes a sample shop misbehave while it runs, one fault at a time, as `POST /_behave` asks for."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

CONTROL_PATH = "/_behave"
LONGEST_SECONDS = 3600
DRIP_PIECES = 20
# Each fault's words, and how many seconds it takes when none are given; None where seconds mean nothing.
FAULTS: dict[str, tuple[str, float | None]] = {
    "well": ("answers as it should", None),
    "slow": ("holds each answer back for so many seconds", 2),
    "drip": ("sends each body in small pieces over so many seconds", 30),
    "throttle": ("answers 429 with a Retry-After of so many seconds", 30),
    "broken": ("answers 500", None),
    "garbled": ("answers 200 with an HTML page", None),
    "price": ("sells its first product at another price, with another stock", None),
    "invalid": ("sends its second product as a record that is no valid product", None),
}


class BadBehaviourError(ValueError):
    """What was asked of `/_behave` makes no sense; the text says what is allowed."""


@dataclass(frozen=True)
class Behaviour:
    """One fault and its seconds."""

    fault: str = "well"
    seconds: float | None = None


class MoodyShop:
    """A shop's application that can be told to misbehave; `changed` has the applications to serve for faults in the data."""

    def __init__(self, name: str, app: WSGIApplication, changed: Mapping[str, WSGIApplication]) -> None:
        """Start well."""
        self.name = name
        self.behaviour = Behaviour()
        self._app = app
        self._changed = changed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request to the control, or one to the shop as its behaviour is at this moment."""
        control = environ.get("PATH_INFO") == CONTROL_PATH
        response = self._control(Request(environ)) if control else self._misbehave(environ, self.behaviour)
        return response(environ, start_response)

    def _control(self, request: Request) -> Response:
        if request.remote_addr not in {"127.0.0.1", "::1"}:
            return _answer(403, {"message": "Only callers on the shop's own machine may change how it behaves."})
        if request.method not in {"GET", "POST"}:
            return _answer(405, {"message": "Use GET or POST."}, {"Allow": "GET, POST"})
        if request.method == "POST":
            try:
                self.behaviour = read_behaviour(request.get_data())
            except BadBehaviourError as error:
                return _answer(422, {"message": str(error)})
        faults = {name: words for name, (words, _) in FAULTS.items()}
        return _answer(200, {"shop": self.name, **vars(self.behaviour), "faults": faults})

    def _misbehave(self, environ: WSGIEnvironment, behaviour: Behaviour) -> WSGIApplication:
        seconds = behaviour.seconds or 0
        match behaviour.fault:
            case "slow":
                time.sleep(seconds)
            case "drip":
                return _drip(self._app, environ, seconds)
            case "throttle":
                return Response("Too many requests.\n", 429, {"Retry-After": str(math.ceil(seconds))})
            case "broken":
                return Response("Internal Server Error\n", 500)
            case "garbled":
                return Response("<!DOCTYPE html><title>Shop</title><h1>We will be back soon</h1>\n", mimetype="text/html")
        return self._changed.get(behaviour.fault, self._app)


def read_behaviour(body: bytes) -> Behaviour:
    """Return what a JSON object asks for; raises BadBehaviourError with what is allowed."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        raise BadBehaviourError('The body must be a JSON object such as {"fault": "slow", "seconds": 2}.')
    if unknown := sorted(set(asked) - {"fault", "seconds"}):
        raise BadBehaviourError(f"{', '.join(unknown)}: not known; allowed: fault, seconds.")
    fault = asked.get("fault")
    if not isinstance(fault, str) or fault not in FAULTS:
        raise BadBehaviourError(f"fault: {orjson.dumps(fault).decode()[:60]}; allowed: {', '.join(FAULTS)}.")
    return Behaviour(fault, _read_seconds(fault, asked.get("seconds")))


def _read_seconds(fault: str, given: Any) -> float | None:
    default = FAULTS[fault][1]
    if given is None:
        return default
    if default is None:
        takers = ", ".join(name for name, (_, seconds) in FAULTS.items() if seconds is not None)
        raise BadBehaviourError(f"seconds: {fault} takes none; allowed with: {takers}.")
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= LONGEST_SECONDS:
        shown = orjson.dumps(given).decode()[:60]
        raise BadBehaviourError(f"seconds: {shown}; allowed: a number above 0 and up to {LONGEST_SECONDS}.")
    return given


def _drip(app: WSGIApplication, environ: WSGIEnvironment, seconds: float) -> Response:
    """Return the application's own answer, its head at once and its body piece by piece."""
    parts, status, headers = run_wsgi_app(app, environ, buffered=True)
    body = b"".join(parts)
    size = max(1, -(-len(body) // DRIP_PIECES))

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]
            time.sleep(seconds / DRIP_PIECES)

    return Response(pieces(), status, headers)


def _answer(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content) + b"\n", status, headers, mimetype="application/json")
