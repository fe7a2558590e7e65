"""The things Aisle speaks about: plain frozen objects that every layer may hold."""

from main.service.model.guard import BreakerMode, BreakerState, GuardState
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
from main.service.model.reload import Reading, SourcesChange, Taken, compare_sources
from main.service.model.source import Credentials, Head, Platform, Rate, Source, SourceRecord, SourceStatus, State
from main.service.model.sync import Outcome, SyncReport

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
    "Fault",
    "FieldMap",
    "FieldRule",
    "GuardState",
    "Head",
    "Hits",
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
    "Reading",
    "Rejected",
    "Source",
    "SourceRecord",
    "SourceStatus",
    "SourcesChange",
    "State",
    "SyncReport",
    "Taken",
    "Term",
    "TermKind",
    "Variant",
    "Wanted",
    "compare_sources",
]
