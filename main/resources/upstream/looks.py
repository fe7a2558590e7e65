"""What live looks of every kind share: a product that is gone is no error, and an answer for another product is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.upstream.urls import quote_id
from main.service.errors import UpstreamGarbled, UpstreamRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from main.resources.upstream.base import BaseConnector
    from main.resources.upstream.session import Answer
    from main.service.model import Wanted

_GONE = {404, 410}
_OTHER = "The shop answered for another product."
_NAMELESS = "The shop's answer does not tell which product it is about."


def unless_gone(ask: Callable[[], Answer]) -> Answer | None:
    """Make the call for one product; None where the shop says that it has no such product.

    Raises:
        UpstreamError: as the call does, for anything else.
    """
    try:
        return ask()
    except UpstreamRefused as refusal:
        if refusal.status in _GONE:
            return None
        raise


def look_by_path(connector: BaseConnector, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
    """Ask for one product at its own address below ``/products``; where there is none, some answer with null or with nothing.

    Raises:
        UpstreamError: the shop did not give what was asked.
    """
    (one,) = wanted
    path = f"/products/{quote_id(one.source_id)}"
    answer = unless_gone(lambda: connector.session.get(path, deadline=deadline))
    return pick(said(answer), wanted, connector.identify)


def pick(records: Iterable[bytes], wanted: Iterable[Wanted], identify: Callable[[bytes], str | None]) -> Mapping[str, bytes]:
    """Give the records by their own ids, the first where one stands twice.

    Raises:
        UpstreamGarbled: a record is about a product that was not asked for, or does not say about which.
    """
    asked = {one.source_id for one in wanted}
    found: dict[str, bytes] = {}
    for raw in records:
        source_id = identify(raw)
        if source_id not in asked:
            raise UpstreamGarbled(_NAMELESS if source_id is None else _OTHER)
        found.setdefault(source_id, raw)
    return found


def numbers(wanted: Sequence[Wanted]) -> list[str]:
    """Give the ids that are whole numbers; a shop that counts its products has no other, and refuses to be asked for one."""
    return [one.source_id for one in wanted if one.source_id.isascii() and one.source_id.isdigit()]


def said(answer: Answer | None) -> Iterator[bytes]:
    """Give the one record of an answer, or none where the shop has nothing to say."""
    text = answer.body.strip() if answer else b""
    if text not in {b"", b"null"}:
        yield text
