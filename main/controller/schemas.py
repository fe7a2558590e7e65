"""What is answered, as marshmallow schemas; with those of what is asked, the Swagger document is made from them."""

from __future__ import annotations

from marshmallow import Schema, fields

from main.controller.documents import Document, PageSchema, ShownProductSchema, UtcTime, shown
from main.controller.standing import DriftSchema, GuardSchema, LastSyncSchema
from main.service.model import LookState, State
from main.util.secret import MASK

_PURPOSE = "One product API over all our shops"
_STANDING = {"state": "fresh", "synced_at": UtcTime.example, "products": 120, "rejected": 2}


class SourceMetaSchema(Schema):
    """How a source stands, as every list says."""

    state = fields.String(attribute="state", metadata=shown("How it stands.", "fresh", enum=[state.value for state in State]))
    synced_at = UtcTime(attribute="record.synced_at", allow_none=True, metadata=shown("When its snapshot was taken."))
    products = fields.Integer(attribute="record.products", metadata=shown("Products in its snapshot.", 120))
    rejected = fields.Integer(attribute="record.rejected", metadata=shown("Records in quarantine.", 194))


class LiveSourceSchema(Schema):
    """How far a source has confirmed its products of this page."""

    state = fields.String(metadata=shown("That of its least fresh product.", "live", enum=[state.value for state in LookState]))
    products = fields.Integer(metadata=shown("Its products on this page.", 12))
    confirmed = fields.Integer(metadata=shown("How many of them are live or cached.", 12))


class LiveMetaSchema(Schema):
    """How far the shops have confirmed this page."""

    products = fields.Integer(metadata=shown("Products that were looked at.", 30))
    confirmed = fields.Integer(metadata=shown("How many of them are live or cached.", 30))
    deadline_ms = fields.Integer(metadata=shown("How long that could take.", 800))
    sources = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(LiveSourceSchema),
        metadata=shown("How far each has come.", {"lumen": {"state": "live", "products": 12, "confirmed": 12}}),
    )


class MetaSchema(Schema):
    """What a list says about itself."""

    version = fields.Integer(metadata=shown("The catalogue's version.", 12))
    complete = fields.Boolean(
        metadata=shown(
            "True when every enabled source has a snapshot that is not stale; with live=true also every product is confirmed.",
            True,
        )
    )
    sources = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(SourceMetaSchema),
        metadata=shown("How each source stands.", {"lumen": _STANDING}),
    )
    live = fields.Nested(LiveMetaSchema, metadata=shown("Only with live=true."))


class BucketSchema(Document):
    """One value of a facet; a price facet's value is a band of one currency."""

    value = fields.String(metadata=shown("The value; for price, the band in words.", "10-25 EUR"))
    count = fields.Integer(required=True, metadata=shown("How many products of the whole result have it.", 17))
    currency = fields.String(metadata=shown("Only for price.", "EUR"))
    min = fields.String(metadata=shown("Only for price: from this amount on.", "10"))
    below = fields.String(metadata=shown("Only for price: below this amount; left out for the last band.", "25"))


class ProductPageSchema(PageSchema):
    """A page of products."""

    data = fields.List(fields.Nested(ShownProductSchema), required=True)
    total = fields.Integer(required=True, metadata=shown("Products in the whole result.", 194))
    facets = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(BucketSchema)),
        metadata=shown("Facet to its values, the most frequent first.", {"brand": [{"value": "Halden", "count": 17}]}),
    )
    meta = fields.Nested(MetaSchema, required=True)


class SourceSchema(SourceMetaSchema):
    """One source with everything known about it."""

    name = fields.String(attribute="source.name", metadata=shown("Its name.", "lumen"))
    kind = fields.String(attribute="source.kind", metadata=shown("Its dialect.", "shopify"))
    url = fields.String(attribute="source.url", metadata=shown("Where it is.", "https://lumen.example"))
    enabled = fields.Boolean(
        attribute="source.enabled", metadata=shown("False when it is switched off, in the settings or by PATCH.", True)
    )
    required = fields.Boolean(
        attribute="source.required", metadata=shown("True when the catalogue makes no sense without it.", False)
    )
    current = fields.Boolean(metadata=shown("True when its snapshot is there and not stale.", True))
    age_s = fields.Integer(allow_none=True, metadata=shown("Age of its snapshot in seconds.", 42))
    attempted_at = UtcTime(attribute="record.attempted_at", allow_none=True, metadata=shown("When its last sync ended."))
    outcome = fields.String(attribute="record.outcome", allow_none=True, metadata=shown("How its last sync ended.", "ok"))
    failures = fields.Integer(attribute="record.failures", metadata=shown("Failed syncs since the last good one.", 0))
    error_type = fields.String(
        attribute="record.error_type", allow_none=True, metadata=shown("The last failure's type.", "UpstreamTimeout")
    )
    error = fields.String(
        attribute="record.error", allow_none=True, metadata=shown("The last failure in words.", "No whole answer in time.")
    )
    failed_at = UtcTime(attribute="record.failed_at", allow_none=True, metadata=shown("When it last failed."))
    duration_ms = fields.Integer(
        attribute="record.duration_ms", allow_none=True, metadata=shown("How long its last sync took.", 310)
    )
    next_sync_at = UtcTime(attribute="record.next_sync_at", allow_none=True, metadata=shown("When it is due next."))
    last_sync = fields.Nested(
        LastSyncSchema,
        attribute="record.last_sync",
        allow_none=True,
        metadata=shown("The newest sync, one that is only asked for included."),
    )
    guard = fields.Nested(GuardSchema, metadata=shown("What guards the calls to it, and how they went."))
    drift = fields.Nested(
        DriftSchema, attribute="record.drift", allow_none=True, metadata=shown("How its records changed their shape last.")
    )


class SourceListSchema(Schema):
    """All sources."""

    data = fields.List(fields.Nested(SourceSchema))
    total = fields.Integer(metadata=shown("How many sources there are.", 3))


class FaultSchema(Schema):
    """One thing that is wrong with a record."""

    field = fields.String(metadata=shown("Where.", "price"))
    reason = fields.String(metadata=shown("What.", "is negative: '-5.00'"))


class RejectedSchema(Schema):
    """A record in quarantine."""

    position = fields.Integer(metadata=shown("Where it stood in the crawl, from 1.", 16))
    record_id = fields.String(allow_none=True, metadata=shown("The shop's own id, where it has one.", "4116"))
    faults = fields.List(fields.Nested(FaultSchema))
    raw = fields.String(
        allow_none=True,
        metadata=shown(
            "The record as the shop sent it, cut after 8,000 characters; null where fields are hidden from you.",
            '{"id": 4116, "price": "-5.00"}',
        ),
    )


class RejectedPageSchema(PageSchema):
    """A page of a source's quarantine."""

    data = fields.List(fields.Nested(RejectedSchema), required=True)
    total = fields.Integer(required=True, metadata=shown("Records in quarantine.", 194))


class ComponentSchema(Document):
    """A part of this process."""

    name = fields.String(metadata=shown("Its role.", "catalogue"))
    kind = fields.String(metadata=shown("What it is.", "sqlite"))
    up = fields.Boolean(metadata=shown("Whether it works.", True))
    essential = fields.Boolean(
        metadata=shown("Whether requests need it; without any other they are served all the same.", True)
    )
    error = fields.String(metadata=shown("What is wrong; left out while it works.", "The store does not answer."))


class TimingSchema(Schema):
    """How often something ran in this process, and how long it took."""

    count = fields.Integer(metadata=shown("How often.", 12))
    mean_ms = fields.Float(metadata=shown("Milliseconds, on average.", 1.8))
    max_ms = fields.Float(metadata=shown("Milliseconds, at most.", 4.2))


class StatusSchema(Schema):
    """The whole picture of this process."""

    id = fields.String(attribute="identity.id", metadata=shown("This installation's id.", "aisle"))
    name = fields.String(attribute="identity.name", metadata=shown("Its name.", "aisle"))
    description = fields.String(attribute="identity.description", metadata=shown("What it is for.", _PURPOSE))
    version = fields.String(attribute="identity.version", metadata=shown("Aisle's version.", "0.1.0"))
    start_time = UtcTime(metadata=shown("When this process started."))
    current_time = UtcTime(metadata=shown("Current time, UTC."))
    uptime = fields.Float(attribute="uptime_s", metadata=shown("Seconds.", 86.4))
    components = fields.List(fields.Nested(ComponentSchema))
    timings = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(TimingSchema),
        metadata=shown("What took how long.", {"SearchService.find": {"count": 12, "mean_ms": 1.8, "max_ms": 4.2}}),
    )
    counters = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata=shown("What happened how often in this process.", {"cache.tier_failures": 2}),
    )


class ReadinessSchema(Schema):
    """Whether requests can be served."""

    ready = fields.Boolean(metadata=shown("Always true: what is not ready answers 503.", True))
    components = fields.List(fields.Nested(ComponentSchema))


class HealthSchema(Schema):
    """The process is alive."""

    status = fields.String(metadata=shown("Always UP.", "UP"))


class HeartbeatSchema(Schema):
    """The service is alive."""

    time = UtcTime(metadata=shown("Current time, UTC."))


class PlatformSchema(Schema):
    """What the hosting platform set; null where it set nothing."""

    platformUrl = fields.String(  # noqa: N815 - the platform's own spelling
        attribute="base_url", allow_none=True, metadata=shown("C8Y_BASEURL.", "https://t100.platform.example")
    )
    mqttPlatformUrl = fields.String(  # noqa: N815
        attribute="mqtt_url", allow_none=True, metadata=shown("C8Y_BASEURL_MQTT.", "tcp://t100.platform.example:1883")
    )
    tenant = fields.String(allow_none=True, metadata=shown("C8Y_BOOTSTRAP_TENANT.", "t100"))
    user = fields.String(allow_none=True, metadata=shown("C8Y_BOOTSTRAP_USER.", "servicebootstrap_aisle"))
    password = fields.String(allow_none=True, metadata=shown("C8Y_BOOTSTRAP_PASSWORD, masked.", MASK))
    microserviceIsolation = fields.String(  # noqa: N815
        attribute="isolation", allow_none=True, metadata=shown("C8Y_MICROSERVICE_ISOLATION.", "MULTI_TENANT")
    )


class RootSchema(Schema):
    """Where to go from here."""

    name = fields.String(metadata=shown("This installation's name.", "aisle"))
    description = fields.String(metadata=shown("What it is for.", _PURPOSE))
    version = fields.String(metadata=shown("Aisle's version.", "0.1.0"))
    links = fields.Dict(keys=fields.String(), values=fields.String(), metadata=shown("Where to go.", {"products": "/products"}))


class ProblemSchema(Schema):
    """An error, as RFC 9457 has it (application/problem+json)."""

    type = fields.String(required=True, metadata=shown("about:blank, or a URI that names the kind of problem.", "about:blank"))
    title = fields.String(required=True, metadata=shown("The status in words.", "Unprocessable Entity"))
    status = fields.Integer(required=True, metadata=shown("The HTTP status.", 422))
    detail = fields.String(metadata=shown("What happened, for a person.", "One or more parameters or fields are wrong."))
    instance = fields.String(metadata=shown("The path that was asked for.", "/products"))
    request_id = fields.String(metadata=shown("Names this request in the log.", "7d0f4c5d2b9e4f0f8f5b6a3c1d2e4f60"))


class InvalidSchema(ProblemSchema):
    """A request with something wrong in it."""

    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata=shown("Parameter or field to messages.", {"page": ["must be a whole number from 1 to 100000"]}),
    )


class GoneSchema(ProblemSchema):
    """A product that left the catalogue."""

    deleted_at = UtcTime(metadata=shown("When it left.", UtcTime.example))
    version = fields.Integer(metadata=shown("The first version of the catalogue without it.", 12))


class UnavailableSchema(ProblemSchema):
    """No answer now."""

    sources = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(SourceMetaSchema),
        metadata=shown("How each source stands, where none has a snapshot.", {"lumen": {**_STANDING, "state": "syncing"}}),
    )
    missing = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata=shown(
            "Required sources that could not be had, each with the reason.", {"lumen": "The shop did not answer in time."}
        ),
    )


class NotReadySchema(ProblemSchema):
    """What stands in the way of serving requests."""

    components = fields.List(fields.Nested(ComponentSchema))
    waiting = fields.List(fields.String(), metadata=shown("Sources that had no first try yet.", ["lumen"]))
