"""Lists as JSON: stored documents joined, never serialised again, with the truth about every source beside them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson
from cachetools import LRUCache, cached

from main.controller.schemas import SourceMetaSchema
from main.service.model import PriceBucket, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from main.controller.views import View
    from main.service.model import Bucket, Page, SourceStatus

_UNIT = 10_000
_META = SourceMetaSchema()


def encode_page(page: Page, sources: bytes, view: View) -> bytes:
    """Give a page of products, as the caller sees them, with its envelope."""
    query, hits = page.query, page.hits
    beside = {
        "page": query.page,
        "per_page": query.per_page,
        "total": hits.total,
        "pages": page.pages,
        "facets": {facet: [_bucket(bucket) for bucket in buckets] for facet, buckets in hits.facets.items()},
    }
    return b"".join(
        (
            b'{"data":[',
            b",".join(view.render_all(hits.documents)),
            b"],",
            orjson.dumps(beside)[1:-1],
            b',"meta":{"version":%d,%b}}' % (page.head.version, sources),
        )
    )


def encode_sources(
    statuses: Sequence[SourceStatus], *, complete: bool | None = None, live: Mapping[str, Any] | None = None
) -> bytes:
    """Give the ``complete``, ``sources`` and (for live answers) ``live`` members of ``meta``."""
    whole = is_complete(statuses) if complete is None else complete
    encoded = _encode_sources(tuple(_Shown(status) for status in statuses), whole)
    return encoded if live is None else b'%b,"live":%b' % (encoded, orjson.dumps(live))


def is_complete(statuses: Sequence[SourceStatus]) -> bool:
    """Tell whether every enabled source has a snapshot that is not stale."""
    return all(status.current for status in statuses if status.state is not State.DISABLED)


class _Shown:
    """A status, compared by what is shown of it, so that the same picture is encoded once."""

    __slots__ = ("key", "status")

    def __init__(self, status: SourceStatus) -> None:
        record = status.record
        self.status = status
        self.key = (status.source.name, status.state, status.current, record.synced_at, record.products, record.rejected)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shown) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@cached(LRUCache(64), lock=Lock())
def _encode_sources(shown: tuple[_Shown, ...], complete: bool) -> bytes:  # noqa: FBT001 - part of the cache's key
    statuses = [item.status for item in shown]
    members = {"complete": complete, "sources": {s.source.name: _META.dump(s) for s in statuses}}
    return orjson.dumps(members)[1:-1]


def _bucket(bucket: Bucket | PriceBucket) -> dict[str, Any]:
    if not isinstance(bucket, PriceBucket):
        return {"value": bucket.value, "count": bucket.count}
    lowest, below = bucket.lowest // _UNIT, None if bucket.below is None else bucket.below // _UNIT
    band = f"{lowest}+" if below is None else f"{lowest}-{below}"
    found = {"value": f"{band} {bucket.currency}", "currency": bucket.currency, "min": str(lowest), "count": bucket.count}
    return found if below is None else {**found, "below": str(below)}
