"""``/sources``: how every shop and supplier stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from flask_restx import Namespace, Resource

from main.controller.bodies import SourceChangeSchema, load_body
from main.controller.conditional import answer_json, read_tags
from main.controller.context import services
from main.controller.guards import admin, hidden_fields, reader
from main.controller.middleware import load_args
from main.controller.paging import answer_page
from main.controller.parameters import NoParametersSchema, PagingSchema
from main.controller.schemas import RejectedSchema, SourceSchema
from main.controller.swagger import (
    BODY_ERRORS,
    PAGING_HEADERS,
    SWITCH_HEADER,
    body,
    documented,
    parameters,
    preconditioned,
)
from main.controller.views import cover_rejected

if TYPE_CHECKING:
    from flask import Response

    from main.service.model import SourceStatus

sources = Namespace("sources", description="The shops and suppliers, and the truth about each.", path="/sources")

_NONE = NoParametersSchema()
_PAGING = PagingSchema()
_SOURCE = SourceSchema()
_CHANGE = SourceChangeSchema()
_REJECTED = RejectedSchema()


@sources.route("")
class SourceList(Resource):  # type: ignore[misc]
    """All sources."""

    @reader
    @documented(sources, "SourceList", "All sources, in the order they are configured in.", errors=(422, 503))
    def get(self) -> Response:
        """Tell how every source stands."""
        load_args(_NONE)
        found = services().sources.find_all()
        return answer_json(orjson.dumps({"data": _SOURCE.dump(found, many=True), "total": len(found)}))


@sources.route("/<string:name>")
@sources.param("name", "The source's name", _in="path", **{"x-example": "lumen"})
class SourceItem(Resource):  # type: ignore[misc]
    """One source."""

    @reader
    @documented(sources, "Source", "The source.", errors=(404, 422, 503), headers=SWITCH_HEADER)
    def get(self, name: str) -> Response:
        """Tell how one source stands."""
        load_args(_NONE)
        return _answer(services().sources.get(name))

    @admin
    @preconditioned(sources, example='W/"auto-on"')
    @documented(
        sources, "Source", "The source as it stands now.", errors=(*BODY_ERRORS, 404, 412, 422, 428, 503), headers=SWITCH_HEADER
    )
    @body(sources, "SourceChange")
    def patch(self, name: str) -> Response:
        """Set the source's breaker, or switch the source on or off; a breaker that is set begins anew. If-Match is the ETag of the switch as it was seen, or * to set it whatever it is."""
        load_args(_NONE)
        return _answer(services().sources.change(name, load_body(_CHANGE), read_tags()))


@sources.route("/<string:name>/cache")
@sources.param("name", "The source's name", _in="path", **{"x-example": "lumen"})
class SourceCache(Resource):  # type: ignore[misc]
    """What is remembered of a source's answers."""

    @admin
    @documented(sources, None, "Nothing the shop has said so far is used any more.", code=204, errors=(404, 422, 503))
    def delete(self, name: str) -> Response:
        """Forget what the shop has answered so far, on every worker of this machine: the next look or sync asks it anew, on no condition."""
        load_args(_NONE)
        services().live.purge(name)
        return answer_json(b"", status=204)


@sources.route("/<string:name>/quarantine")
@sources.param("name", "The source's name", _in="path", **{"x-example": "lumen"})
class Quarantine(Resource):  # type: ignore[misc]
    """What a source sent that is no valid product."""

    @reader
    @documented(sources, "RejectedPage", "One page of the source's quarantine.", errors=(404, 422, 503), headers=PAGING_HEADERS)
    @parameters(sources, _PAGING)
    def get(self, name: str) -> Response:
        """Show the records of the last sync that failed validation, each with its reasons."""
        paging = load_args(_PAGING)
        found, total = services().sources.find_rejected(name, paging["page"], paging["per_page"])
        hidden = hidden_fields()
        return answer_page(_REJECTED, [cover_rejected(record, hidden) for record in found], total, paging)


def _answer(status: SourceStatus) -> Response:
    answer = answer_json(orjson.dumps(_SOURCE.dump(status)))
    if status.switch is not None:
        # For If-Match only. An answer that may not be kept is never asked for again by its tag, so this one may name a part of it.
        answer.headers["ETag"] = f'W/"{status.switch.tag}"'
    return answer
