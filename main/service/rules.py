"""The rules by which Aisle finds what people should mend: pure, each from what is known to findings."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from itertools import islice
from statistics import median_low
from typing import TYPE_CHECKING

from main.service.model import Finding, TaskKind
from main.util.text import clean_line, fold, shorten

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from main.service.model import Flaw, Rejected, Rival, Source, SourceRecord

_TITLE, _TEXT, _PRODUCT = 200, 2_000, 200
_LINES = 50  # a thousand products under one GTIN are told by some of them
_UNIT = 10_000


def find_quarantined(source: str, rejected: Iterable[Rejected]) -> Iterator[Finding]:
    """Give a finding for each record that is no valid product; one without an id is known by its content."""
    for record in rejected:
        fields = ", ".join(dict.fromkeys(fault.field for fault in record.faults))
        name = record.record_id or f"#{hashlib.blake2b(record.raw.encode(), digest_size=8).hexdigest()}"
        yield Finding(
            kind=TaskKind.QUARANTINE,
            cause=_cause(TaskKind.QUARANTINE, source, name),
            title=_line(f"{source}: record {name} is no valid product: {fields}"),
            short_description=_text(f"{fault.field}: {fault.reason}" for fault in record.faults),
            product=f"{source}:{record.record_id}" if record.record_id else None,
            priority=2,
        )


def find_stale(source: Source, record: SourceRecord | None, now: dt.datetime) -> Iterator[Finding]:
    """Give a finding where a source's snapshot is older than its limit."""
    if record is None or record.synced_at is None or now - record.synced_at <= source.fresh_for:
        return
    yield Finding(
        kind=TaskKind.STALE_SOURCE,
        cause=_cause(TaskKind.STALE_SOURCE, source.name, ""),
        title=_line(f"{source.name}: its products are older than they may be"),
        short_description=_text([f"The last good sync was at {record.synced_at:%Y-%m-%d %H:%M} UTC.", record.error or ""]),
        priority=1,
    )


def find_missing(kind: TaskKind, flaws: Iterable[Flaw]) -> Iterator[Finding]:
    """Give a finding for each product that lacks what the kind says: an image or a description."""
    what = "image" if kind is TaskKind.MISSING_IMAGE else "description"
    for flaw in flaws:
        if getattr(flaw, what):
            continue
        yield Finding(
            kind=kind,
            cause=f"{kind}:{flaw.product}",
            title=_line(f"{flaw.product} has no {what}: {flaw.name}"),
            product=flaw.product[:_PRODUCT],
            priority=4,
        )


def find_mismatches(rivals: Iterable[Rival]) -> Iterator[Finding]:
    """Give a finding for each GTIN under which sources sell different brands, at a product of the rarest."""
    for gtin, group in _group(rivals).items():
        brands: dict[str, list[Rival]] = defaultdict(list)
        for rival in group:
            if rival.brand:
                brands[fold(rival.brand)].append(rival)
        if len(brands) < 2:  # noqa: PLR2004 - a pair, at least
            continue
        rarest = min(brands.values(), key=lambda found: (len(found), found[0].product))
        yield Finding(
            kind=TaskKind.MISMATCH,
            cause=f"{TaskKind.MISMATCH}:{gtin}",
            title=_line(
                f"GTIN {gtin} is of different brands: {', '.join(sorted(str(found[0].brand) for found in brands.values()))}"
            ),
            short_description=_text(f"{rival.product}: {rival.brand}" for rival in group if rival.brand),
            product=rarest[0].product[:_PRODUCT],
        )


def find_spread(rivals: Iterable[Rival], percent: int) -> Iterator[Finding]:
    """Give a finding for each product whose price differs from the median of the other shops' by more than so many percent."""
    for group in _group(rivals).values():
        lowest = _lowest(group)
        for rival in group:
            others = [price for source, price in lowest[rival.currency].items() if source != rival.source]
            if not others or rival.price is None:
                continue
            usual = median_low(others)
            if abs(rival.price - usual) * 100 <= usual * percent:
                continue
            yield Finding(
                kind=TaskKind.PRICE_SPREAD,
                cause=f"{TaskKind.PRICE_SPREAD}:{rival.product}",
                title=_line(f"{rival.product} costs {_amount(rival.price)} {rival.currency}, elsewhere {_amount(usual)}"),
                short_description=_text(
                    f"{each.product}: {_amount(each.price)} {each.currency}" for each in group if each.price is not None
                ),
                product=rival.product[:_PRODUCT],
            )


def _lowest(group: Sequence[Rival]) -> Mapping[str | None, dict[str, int]]:
    """Give each source's lowest price in each currency."""
    lowest: dict[str | None, dict[str, int]] = defaultdict(dict)
    for each in group:
        if each.price is not None:
            known = lowest[each.currency]
            known[each.source] = min(each.price, known.get(each.source, each.price))
    return lowest


def _group(rivals: Iterable[Rival]) -> dict[str, list[Rival]]:
    found: dict[str, list[Rival]] = defaultdict(list)
    for rival in sorted(rivals, key=lambda each: each.product):
        found[rival.gtin].append(rival)
    return found


def _cause(kind: TaskKind, source: str, name: str) -> str:
    return f"{kind}:{source}:{name}"


def _amount(price: int) -> str:
    return f"{price / _UNIT:.2f}"


def _line(text: str) -> str:
    return shorten(clean_line(text), _TITLE)


def _text(lines: Iterable[str]) -> str:
    return shorten("\n".join(filter(None, map(clean_line, islice(lines, _LINES)))), _TEXT)
