"""``/sources/{name}/sync`` and ``/syncs``: asking for a sync, and how each goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from flask_restx import Namespace, Resource

from main.controller.bodies import SyncRequestSchema, load_body
from main.controller.conditional import answer_json
from main.controller.context import services
from main.controller.guards import admin, reader
from main.controller.idempotency import idempotent
from main.controller.links import sync_path
from main.controller.middleware import load_args
from main.controller.paging import answer_page
from main.controller.parameters import NoParametersSchema, PagingSchema
from main.controller.standing import SyncSchema
from main.controller.swagger import BODY_ERRORS, LOCATION_HEADER, PAGING_HEADERS, body, documented, parameters

if TYPE_CHECKING:
    from flask import Response

syncs = Namespace("syncs", description="Syncs of a source: asked for, under way, ended.", path="/sources")

_NONE = NoParametersSchema()
_PAGING = PagingSchema()
_SYNC = SyncSchema()
_REQUEST = SyncRequestSchema()
_NAME = {"_in": "path", "x-example": "lumen"}


@syncs.route("/<string:name>/sync")
@syncs.param("name", "The source's name", **_NAME)
class SyncRequest(Resource):  # type: ignore[misc]
    """A sync that is wanted now."""

    @admin
    @idempotent(syncs)
    @documented(
        syncs,
        "Sync",
        "The sync's record, where its progress can be followed; while one waits already, that one's.",
        code=202,
        errors=(*BODY_ERRORS, 404, 409, 422, 503),
        headers=LOCATION_HEADER,
    )
    @body(syncs, "SyncRequest", required=False)
    def post(self, name: str) -> Response:
        """Ask for a sync now; the process that syncs takes it up within seconds, after a sync that is under way."""
        load_args(_NONE)
        record = services().syncs.request(name, force=load_body(_REQUEST)["force"])
        return answer_json(orjson.dumps(_SYNC.dump(record)), status=202, headers={"Location": sync_path(record)})


@syncs.route("/<string:name>/syncs")
@syncs.param("name", "The source's name", **_NAME)
class SyncList(Resource):  # type: ignore[misc]
    """A source's syncs."""

    @reader
    @documented(syncs, "SyncPage", "One page of the source's syncs.", errors=(404, 422, 503), headers=PAGING_HEADERS)
    @parameters(syncs, _PAGING)
    def get(self, name: str) -> Response:
        """Show the source's last syncs, newest first."""
        paging = load_args(_PAGING)
        found, total = services().syncs.find(name, paging["page"], paging["per_page"])
        return answer_page(_SYNC, found, total, paging)


@syncs.route("/<string:name>/syncs/<int:number>")
@syncs.param("name", "The source's name", **_NAME)
@syncs.param("number", "The sync's id", _in="path", **{"x-example": 1})
class SyncItem(Resource):  # type: ignore[misc]
    """One sync."""

    @reader
    @documented(syncs, "Sync", "The sync's record.", errors=(404, 422, 503))
    def get(self, name: str, number: int) -> Response:
        """Tell how far one sync is, or how it ended."""
        load_args(_NONE)
        return answer_json(orjson.dumps(_SYNC.dump(services().syncs.get(name, number))))
