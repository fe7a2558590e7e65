"""A source's settings for people, without its secrets: of credentials only which kind they are, of headers only their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.controller.console.words import tell_size, tell_span
from main.util.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.service.model import Credentials, Rate, Source

_NOTHING = "none"


def describe_source(source: Source) -> list[tuple[str, str]]:
    """Give the settings as names, as config.yml has them, and values. What looks like a secret is masked wherever it stands."""
    return [(name, mask_text(value)) for name, value in _settings(source)]


def _settings(source: Source) -> Iterator[tuple[str, str]]:
    yield "kind", source.kind
    yield "url", source.url
    yield "currency", source.currency or "each record's own"
    yield "every", tell_span(source.every.total_seconds())
    yield "stale_after", tell_span(source.fresh_for.total_seconds())
    yield "timeout", f"{source.timeout.total_seconds():g} s"
    yield "concurrency", str(source.concurrency)
    yield "rate", _tell_rate(source.rate)
    yield "max_body", tell_size(source.max_body)
    yield "max_products", f"{source.max_products:,}"
    yield "required", _yes(source.required)
    yield "priced", _yes(source.priced)
    yield "auth", _tell_kind(source.credentials)
    yield "headers", ", ".join(source.headers) or _NOTHING
    yield from _of_some(source)


def _of_some(source: Source) -> Iterator[tuple[str, str]]:
    """Give what only some sources have."""
    if source.proxy:
        yield "proxy", source.proxy
    if source.api:
        yield "api", source.api
    if source.format:
        yield "format", source.format
    for name, mapping in (("columns", source.columns), ("categories", source.categories)):
        if mapping:
            yield name, ", ".join(f"{ours}: {theirs}" for ours, theirs in mapping.items())
    if source.listing is not None and source.listing.path:
        yield "list.path", source.listing.path


def _yes(value: bool) -> str:  # noqa: FBT001 - the value itself
    return "yes" if value else "no"


def _tell_rate(rate: Rate | None) -> str:
    return "no limit" if rate is None else f"{rate.calls} calls in {tell_span(rate.period.total_seconds())}"


def _tell_kind(credentials: Credentials) -> str:
    kinds = {
        "basic": credentials.basic,
        "bearer": credentials.bearer,
        "header": credentials.header,
        "query": credentials.query,
        "oauth2": credentials.oauth2,
    }
    return next((f"{name} (set)" for name, found in kinds.items() if found), _NOTHING)
