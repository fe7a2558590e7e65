"""The things Aisle speaks about: plain frozen objects that every layer may hold."""

from main.service.model.guard import BreakerMode, BreakerState, GuardChange, GuardState, GuardView
from main.service.model.live import Look, LookState, Wanted
from main.service.model.mapped import FieldMap, FieldRule, Listing, Paging
from main.service.model.product import Availability, Fault, Money, PriceRange, Product, Rating, Rejected, Variant
from main.service.model.query import (
    FACETS,
    PER_PAGE,
    PER_PAGE_MAX,
    SORTS,
    Bucket,
    Hits,
    Page,
    PriceBucket,
    Query,
    Term,
    TermKind,
)
from main.service.model.shape import Drift, FieldShape, Shape
from main.service.model.source import Credentials, Head, LastSync, Platform, Rate, Source, SourceRecord, SourceStatus, State
from main.service.model.sync import Outcome, SyncRecord, SyncReport, SyncState

__all__ = [
    "FACETS",
    "PER_PAGE",
    "PER_PAGE_MAX",
    "SORTS",
    "Availability",
    "BreakerMode",
    "BreakerState",
    "Bucket",
    "Credentials",
    "Drift",
    "Fault",
    "FieldMap",
    "FieldRule",
    "FieldShape",
    "GuardChange",
    "GuardState",
    "GuardView",
    "Head",
    "Hits",
    "LastSync",
    "Listing",
    "Look",
    "LookState",
    "Money",
    "Outcome",
    "Page",
    "Paging",
    "Platform",
    "PriceBucket",
    "PriceRange",
    "Product",
    "Query",
    "Rate",
    "Rating",
    "Rejected",
    "Shape",
    "Source",
    "SourceRecord",
    "SourceStatus",
    "State",
    "SyncRecord",
    "SyncReport",
    "SyncState",
    "Term",
    "TermKind",
    "Variant",
    "Wanted",
]
