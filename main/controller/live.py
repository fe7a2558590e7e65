"""Live answers: what the shops say right now, laid over the catalogue's documents, and headers that tell how far it goes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import orjson

from main.controller.context import services
from main.controller.documents import LIVE_FIELDS
from main.service.live import Listed
from main.service.model import LookState, Wanted
from main.service.required import insist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from main.controller.views import View
    from main.service.model import Look, SourceStatus, Wish

# The worst first: a source's state in ``meta`` is that of its worst product.
_WORST = (
    LookState.ERROR,
    LookState.TIMEOUT,
    LookState.OPEN,
    LookState.RATE_LIMITED,
    LookState.STALE,
    LookState.CACHED,
    LookState.LIVE,
)
# Where fields are hidden: these reasons may quote what the shop said, and so a hidden field.
_COVERED = {
    LookState.ERROR: "The shop gave no answer that can be used.",
    LookState.STALE: "The shop gave no newer answer that can be used.",
}


class _Named(msgspec.Struct):
    id: str
    source: str
    source_id: str
    url: str | None = None


_read_named = msgspec.json.Decoder(_Named).decode


class Told(NamedTuple):
    """What a live look came to: documents with the shops' figures laid over them, and how far that goes.

    ``unanswered`` are the sources of which some product has no answer of the shop, not even an old one, each with the reason.
    """

    documents: tuple[bytes, ...]
    looks: tuple[Look, ...]
    summary: dict[str, Any]
    unanswered: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Tell whether every product is confirmed."""
        return all(look.confirmed for look in self.looks)


def confirm(documents: Sequence[bytes], wish: Wish, statuses: Sequence[SourceStatus], view: View) -> Told:
    """Ask the shops of these documents, cut them down to what the caller sees, and give what there is by the deadline.

    Raises:
        RequiredMissing: a required source did not answer.
    """
    told = ask_shops(documents, wish, statuses, view)
    insist(wish.require, statuses, told.unanswered)
    return told


def ask_shops(documents: Sequence[bytes], wish: Wish, statuses: Sequence[SourceStatus], view: View) -> Told:
    """Do as :func:`confirm`, and put up with the silence of a required source."""
    live = services().live
    listed = list_products(documents)
    seconds = live.choose_deadline(wish.deadline_ms)
    looks = live.confirm(listed, seconds, {status.source.name for status in statuses if status.current})
    ages = {status.source.name: status.age_s for status in statuses}
    rows = zip(documents, listed, looks, strict=True)
    shown = tuple(lay_over(document, look, ages.get(each.source), view) for document, each, look in rows)
    return Told(shown, tuple(looks), describe_looks(listed, looks, seconds), find_unanswered(listed, looks, view))


def list_products(documents: Sequence[bytes]) -> list[Listed]:
    """Give what has to be known of stored documents to ask their shops."""
    named = map(_read_named, documents)
    return [Listed(each.source, Wanted(each.source_id, each.url)) for each in named]


def lay_over(document: bytes, look: Look, age_s: float | None, view: View) -> bytes:
    """Give a document with the figures of a look, cut down to what the caller sees, and how fresh they are."""
    whole = orjson.loads(document)
    if look.figures is not None:
        whole = {name: value for name, value in whole.items() if name not in LIVE_FIELDS} | orjson.loads(look.figures)
    whole = view.cut(whole)
    age = age_s if look.figures is None or look.age_s is None else look.age_s
    freshness = {"state": look.state, "age_s": None if age is None else round(age, 3), "reason": _tell_reason(look, view)}
    whole["freshness"] = {name: value for name, value in freshness.items() if value is not None}
    return orjson.dumps(whole)


def _tell_reason(look: Look, view: View) -> str | None:
    return _COVERED.get(look.state, look.reason) if look.reason and view.hidden else look.reason


def describe_looks(listed: Sequence[Listed], looks: Sequence[Look], seconds: float) -> dict[str, Any]:
    """Give the ``live`` member of ``meta``: how many products were asked for, and how far each source has confirmed its own."""
    asked, confirmed = Counter(each.source for each in listed), Counter[str]()
    states: dict[str, set[LookState]] = {}
    for each, look in zip(listed, looks, strict=True):
        confirmed[each.source] += look.confirmed
        states.setdefault(each.source, set()).add(look.state)
    sources = {
        name: {
            "state": next(state for state in _WORST if state in states[name]),
            "products": number,
            "confirmed": confirmed[name],
        }
        for name, number in asked.items()
    }
    total = {"products": len(listed), "confirmed": sum(confirmed.values()), "deadline_ms": round(seconds * 1000)}
    return {**total, "sources": sources}


def live_headers(told: Told, *, complete: bool) -> dict[str, str]:
    """Give ``Aisle-Complete``, and for answers of shops ``Age`` (RFC 9111, 5.1) and ``Cache-Status`` (RFC 9211)."""
    looks, fresh_s = told.looks, services().live.fresh_s
    ages = [look.age_s for look in looks if look.figures is not None and look.age_s is not None]
    headers = {**completeness(complete=complete), "Cache-Status": _cache_status(looks, ages, fresh_s)}
    return {**headers, "Age": str(int(max(ages)))} if ages else headers


def completeness(*, complete: bool) -> dict[str, str]:
    """Give the header that tells at a glance whether anything is missing (a boolean of RFC 9651)."""
    return {"Aisle-Complete": "?1" if complete else "?0"}


def _cache_status(looks: Sequence[Look], ages: Sequence[float], fresh_s: float) -> str:
    kept_states = {LookState.CACHED, LookState.STALE}
    asked = [look for look in looks if look.figures is not None or look.state not in kept_states]
    if not asked:
        return 'aisle; detail="nothing to ask a shop for"'
    kept = sum(look.state in kept_states for look in asked)
    if kept == len(asked):
        return f"aisle; hit; ttl={int(fresh_s - max(ages))}"
    joined = "; collapsed" if any(look.joined for look in looks) else ""
    return f"aisle; fwd={'partial' if kept else 'miss'}{joined}"


def find_unanswered(listed: Sequence[Listed], looks: Sequence[Look], view: View) -> Mapping[str, str]:
    """Give the sources of which some product has no answer of the shop, not even an old one, each with the reason."""
    pairs = zip(listed, looks, strict=True)
    return {each.source: _tell_reason(look, view) or look.state for each, look in pairs if not look.answered}
