"""The things Aisle speaks about: plain frozen objects that every layer may hold."""

from main.service.model.guard import BreakerMode, BreakerState, GuardState, GuardView
from main.service.model.live import LiveRules, Look, LookState, Wanted
from main.service.model.mapped import FieldMap, FieldRule, ItemCall, Listing, Paging
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
    Wish,
)
from main.service.model.reload import Reading, SourcesChange, Taken, compare_sources
from main.service.model.source import Credentials, Head, OAuth2, Platform, Rate, Source, SourceRecord, SourceStatus, State
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
    "GuardView",
    "Head",
    "Hits",
    "ItemCall",
    "Listing",
    "LiveRules",
    "Look",
    "LookState",
    "Money",
    "OAuth2",
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
    "Wish",
    "compare_sources",
]
