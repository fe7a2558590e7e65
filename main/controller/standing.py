"""How guards, shapes and syncs of a source stand, as marshmallow schemas."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from main.controller.documents import PageSchema, UtcTime, shown
from main.controller.links import sync_path
from main.service.model import BreakerMode, BreakerState, SyncState


class Part(fields.Nested):
    """Some of an object's own attributes as an object below it; null while the attribute named in ``known_by`` is."""

    def __init__(self, nested: type[Schema], *, known_by: str | None = None, **kwargs: Any) -> None:
        super().__init__(nested, allow_none=known_by is not None, **kwargs)
        self._known_by = known_by

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:  # noqa: ARG002
        """Give the object itself."""
        return None if self._known_by and getattr(obj, self._known_by) is None else obj


class SyncPath(fields.String):
    """Where a sync's record is."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:  # noqa: ARG002
        """Give the path."""
        return sync_path(obj)


class BreakerSchema(Schema):
    """Whether calls to a shop go through."""

    state = fields.String(metadata=shown("What it does now.", "closed", enum=[state.value for state in BreakerState]))
    mode = fields.String(
        metadata=shown(
            "Who decides: auto the breaker itself, the others a person.", "auto", enum=[m.value for m in BreakerMode]
        )
    )
    next_probe_at = UtcTime(allow_none=True, metadata=shown("When an open breaker lets one call try."))
    failures_in_row = fields.Integer(metadata=shown("Failed calls since the last good one.", 0))
    times_opened = fields.Integer(metadata=shown("How often it opened since it was last closed.", 0))


class DurationsSchema(Schema):
    """How long the last calls took; null where there was none."""

    p50_ms = fields.Integer(allow_none=True, metadata=shown("Half of them took at most this.", 85))
    p95_ms = fields.Integer(allow_none=True, metadata=shown("19 of 20 took at most this.", 240))


class LastErrorSchema(Schema):
    """The last call that failed."""

    type = fields.String(attribute="last_error_type", allow_none=True, metadata=shown("What kind.", "UpstreamTimeout"))
    detail = fields.String(attribute="last_error", allow_none=True, metadata=shown("In words.", "No whole answer in time."))
    at = UtcTime(attribute="last_error_at", metadata=shown("When."))


class GuardSchema(Schema):
    """What guards the calls to a shop, and how they went, over all processes of the machine."""

    breaker = Part(BreakerSchema, metadata=shown("Whether calls go through."))
    paused_until = UtcTime(allow_none=True, metadata=shown("Until when the shop asked to be left alone."))
    calls = fields.Integer(metadata=shown("Calls so far.", 1204))
    failures = fields.Integer(metadata=shown("How many of them failed.", 3))
    durations = Part(DurationsSchema, metadata=shown("How long the last ones took."))
    last_error = Part(LastErrorSchema, known_by="last_error_at", metadata=shown("The last one that failed; null if none did."))


class DriftSchema(Schema):
    """How the shop's records differed from the last good ones, by dotted field names; at most 50 of each."""

    seen_at = UtcTime(metadata=shown("When that was seen."))
    new = fields.List(fields.String(), metadata=shown("In a quarter of the records or more, unknown before.", ["pricing.net"]))
    missing = fields.List(fields.String(), metadata=shown("In half of the good records or more, and now in none.", ["price"]))
    retyped = fields.List(fields.String(), metadata=shown("Of another JSON type than before.", ["stock"]))


_SYNC_STATES = {"enum": [state.value for state in SyncState]}


class LastSyncSchema(Schema):
    """The newest sync."""

    id = fields.Integer(metadata=shown("Its id.", 41))
    state = fields.String(metadata=shown("Where it is.", "ok", **_SYNC_STATES))
    url = SyncPath(metadata=shown("Its record.", "/sources/lumen/syncs/41"))


class SyncSchema(Schema):
    """One sync, from its request or its start on; times and figures that are not known yet are null or 0."""

    id = fields.Integer(metadata=shown("Counts up over all sources.", 41))
    source = fields.String(metadata=shown("The source's name.", "lumen"))
    state = fields.String(metadata=shown("requested, running, or how it ended.", "running", **_SYNC_STATES))
    force = fields.Boolean(metadata=shown("True when a crawl that lost more than half of its products is accepted.", False))
    requested_at = UtcTime(allow_none=True, metadata=shown("When it was asked for; null when its schedule began it."))
    started_at = UtcTime(allow_none=True, metadata=shown("When it began."))
    finished_at = UtcTime(allow_none=True, metadata=shown("When it ended."))
    pages = fields.Integer(metadata=shown("Pages so far.", 3))
    received = fields.Integer(metadata=shown("Records so far.", 90))
    total = fields.Integer(allow_none=True, metadata=shown("How many records the shop says it has.", 194))
    products = fields.Integer(metadata=shown("How many of the records are products.", 88))
    rejected = fields.Integer(metadata=shown("How many went to quarantine.", 2))
    created = fields.Integer(metadata=shown("Products that are new.", 0))
    updated = fields.Integer(metadata=shown("Products that changed.", 0))
    deleted = fields.Integer(metadata=shown("Products that are gone.", 0))
    error_type = fields.String(allow_none=True, metadata=shown("What went wrong.", "UpstreamTimeout"))
    error = fields.String(allow_none=True, metadata=shown("The same in words.", "No whole answer in time."))
    version = fields.Integer(allow_none=True, metadata=shown("The catalogue's version it led to.", 12))
    note = fields.String(allow_none=True, metadata=shown("What stands in its way, if anything.", "No watcher is running."))
    url = SyncPath(metadata=shown("This record.", "/sources/lumen/syncs/41"))


class SyncPageSchema(PageSchema):
    """A page of a source's syncs."""

    data = fields.List(fields.Nested(SyncSchema), required=True)
    total = fields.Integer(required=True, metadata=shown("Syncs that are kept; at most 200 of a source.", 194))
