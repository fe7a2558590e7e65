"""The small ones: root, liveness, readiness, status, what the platform set, the greeting."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from flask_restx import Namespace, Resource

from main.controller.conditional import answer_json
from main.controller.console.frame import may, wants_page
from main.controller.console.overview import show_overview
from main.controller.context import services
from main.controller.guards import public, reader
from main.controller.middleware import load_args
from main.controller.parameters import GreetingQuerySchema, NoParametersSchema
from main.controller.problems import problem
from main.controller.schemas import (
    HealthSchema,
    HeartbeatSchema,
    NotReadySchema,
    PlatformSchema,
    ReadinessSchema,
    RootSchema,
    StatusSchema,
)
from main.controller.swagger import answers, documented, parameters
from main.service.model import Role

if TYPE_CHECKING:
    from flask import Response
    from marshmallow import Schema

platform = Namespace("service", description="The service itself.", path="/")

_NONE = NoParametersSchema()
_GREETING = GreetingQuerySchema()
_NOT_READY = (
    "Not yet, or not now: components says what does not work, and waiting tells readers which sources had no first try."
)
# Whoever may not read is told of each component whether it works, and nothing of what it is, or of the sources.
_TO_ALL = ("components.name", "components.up")
_READY, _READY_TO_ALL = ReadinessSchema(), ReadinessSchema(only=("ready", *_TO_ALL))
_WAITING, _WAITING_TO_ALL = NotReadySchema(only=("components", "waiting")), NotReadySchema(only=_TO_ALL)
_LINKS = {
    "docs": "/docs",
    "swagger": "/swagger.json",
    "products": "/products",
    "sources": "/sources",
    "status": "/status",
    "health": "/health",
    "ready": "/ready",
}


def _answer(schema: Schema, found: Any) -> Response:
    return answer_json(orjson.dumps(schema.dump(found)))


def _describe() -> dict[str, Any]:
    identity = services().status.identity
    return {"name": identity.name, "description": identity.description, "version": identity.version, "links": _LINKS}


@platform.route("/", endpoint="root")
class Root(Resource):  # type: ignore[misc]
    """Where everything starts."""

    @public
    @documented(platform, "Root", "Name, version and links.", errors=(422,))
    def get(self) -> Response:
        """Say what this is and where to go; a browser gets the console's first page in its place."""
        if wants_page():
            answer = show_overview()
        else:
            load_args(_NONE)
            answer = _answer(RootSchema(), _describe())
        answer.vary.add("Accept")
        return answer


@platform.route("/health")
class Health(Resource):  # type: ignore[misc]
    """Liveness."""

    @public
    @documented(platform, "Health", "The process is alive.")
    def get(self) -> Response:
        """Say that the process is alive; touches nothing."""
        return _answer(HealthSchema(), {"status": "UP"})


@platform.route("/ready")
class Ready(Resource):  # type: ignore[misc]
    """Readiness."""

    @public
    @documented(platform, "Readiness", "Requests can be served.")
    @answers(platform, 503, "NotReady", _NOT_READY)
    def get(self) -> Response:
        """Say whether requests can be served: the store answers, and every source has a snapshot or had its first try."""
        found, reads = services().status.check_ready(), may(Role.READER)
        if found.ready:
            return _answer(_READY if reads else _READY_TO_ALL, found)
        members = (_WAITING if reads else _WAITING_TO_ALL).dump(found)
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, _NOT_READY, headers={"Retry-After": "5"}, **members)


@platform.route("/heartbeat")
class Heartbeat(Resource):  # type: ignore[misc]
    """The time."""

    @public
    @documented(platform, "Heartbeat", "The service is alive.")
    def get(self) -> Response:
        """Give the current time, UTC."""
        return _answer(HeartbeatSchema(), {"time": services().status.now()})


@platform.route("/status")
class StatusItem(Resource):  # type: ignore[misc]
    """The process."""

    @reader
    @documented(platform, "Status", "The whole picture of the process that answered.", errors=(422,))
    def get(self) -> Response:
        """Say what this is, since when it runs, how its components are and what took how long."""
        load_args(_NONE)
        return _answer(StatusSchema(), services().status.describe())


@platform.route("/hello")
class Hello(Resource):  # type: ignore[misc]
    """The platform."""

    @reader
    @documented(platform, "Platform", "What the hosting platform set; null where it set nothing.", errors=(422,))
    def get(self) -> Response:
        """Show what the hosting platform set in the environment; the password is masked."""
        load_args(_NONE)
        return _answer(PlatformSchema(), services().status.platform)


@platform.route("/hello_world/greeting")
class Greeting(Resource):  # type: ignore[misc]
    """The greeting."""

    @public
    @documented(platform, "Greeting", "The greeting, a JSON string.", errors=(422,))
    @parameters(platform, _GREETING)
    def get(self) -> Response:
        """Greet whoever is named."""
        return answer_json(orjson.dumps(services().greeting.greet(load_args(_GREETING)["name"])))
