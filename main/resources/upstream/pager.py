"""How a described list goes on: what each call sends, and which calls follow from an answer."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from main.resources.upstream.hints import name_end
from main.resources.upstream.paging import Trail, join_url, next_link, pages_after, refuse_beyond
from main.service.errors import CrawlIncomplete, UpstreamGarbled
from main.util.expressions import ExpressionError, compile_expression

if TYPE_CHECKING:
    from collections.abc import Hashable

    from main.resources.upstream.session import Answer, Session
    from main.service.model import Listing

_UNKNOWN_SIZE = 10**9
_COUNTLESS = Decimal(10**18)  # no list has more, and the digits of 1e999999 would take the whole process half a minute


class Pager:
    """Makes the calls of one list: by number, offset or cursor in query or body, or by the URL the shop names."""

    def __init__(self, listing: Listing, session: Session, window: int, most: int) -> None:
        self.listing = listing
        self._page = listing.page
        self._session = session
        self._window = window
        self._most = most
        self._trail = Trail()

    def ask(self, call: Hashable | None) -> Answer:
        """Make one call: ``None`` is the first, a text under styles link and next_url is a URL of the shop's own."""
        page, listing = self._page, self.listing
        if page.style in {"link", "next_url"} and isinstance(call, str):
            return self._session.follow(call)
        sent: dict[str, Any] = {page.size_param: page.size} if page.size_param else {}
        if page.param and (position := self._position(call)) is not None:
            sent[page.param] = position
        if listing.body is None:
            return self._session.get(listing.path, {**listing.params, **sent})
        if page.where == "query":
            return self._session.post(listing.path, {**listing.params, **sent}, listing.body)
        body = deepcopy(dict(listing.body))
        for path, value in sent.items():
            _put(body, path, value)
        return self._session.post(listing.path, listing.params, body)

    def total(self, body: Any) -> int | None:
        """Give how many records the whole list has, where that is told.

        Raises:
            UpstreamGarbled: it should be told and is not.
            CrawlIncomplete: it has more than a crawl may take.
        """
        if self._page.total is None:
            return None
        found = search(self._page.total, body)
        total = _whole(found)
        if total is None:
            raise UpstreamGarbled(f"The answer does not say how many products there are ({self._page.total}).")
        refuse_beyond(total, self._most)
        return total

    def upcoming(self, call: Hashable | None, received: int, body: Any, answer: Answer) -> tuple[Hashable, ...]:
        """Give the calls that follow from an answer with so many records.

        Raises:
            UpstreamGarbled: the shop names no page that could be the next.
            CrawlIncomplete: it names one that came before, or says that there is more and does not say where.
        """
        if self._page.more and not search(self._page.more, body):
            return ()
        following = self._following(call, received, body, answer)
        if self._page.more and not following:
            where = "its first page" if call is None else "a later page"
            raise CrawlIncomplete(f"The shop says that there is more (list.page.more), but on {where} {name_end(self._page)}.")
        return following

    def _following(self, call: Hashable | None, received: int, body: Any, answer: Answer) -> tuple[Hashable, ...]:
        if self._page.style in {"page", "offset"}:
            return self._numbers(self._start(call), received, self.total(body), first=call is None)
        return self._trail.follow(call, self._named(body, answer))

    def _named(self, body: Any, answer: Answer) -> str | int | None:
        """Give what the shop itself names as the next call."""
        match self._page.style:
            case "cursor" if self._page.cursor_header:
                return answer.headers.get(self._page.cursor_header.lower())
            case "cursor":
                cursor = search(self._page.cursor or "@", body)
                return cursor if isinstance(cursor, str | int) and cursor is not False else None
            case "next_url":
                found = search(self._page.next or "@", body)
                return join_url(answer.url, found) if isinstance(found, str) and found else None
            case "link":
                return next_link(answer)
        return None

    def _numbers(self, start: int, received: int, total: int | None, *, first: bool) -> tuple[int, ...]:
        offset = self._page.style == "offset"
        if received == 0:
            return ()
        if self._page.more:
            return (start + (received if offset else 1),)  # one by one, because only the answer tells whether there is another
        if total is not None:
            # The step is what came, not what was asked for: some shops clamp the size.
            more = -(-total // received) - 1
            return tuple(start + number * (received if offset else 1) for number in range(1, more + 1)) if first else ()
        size = self._page.size or _UNKNOWN_SIZE
        if not offset:
            return pages_after(start, received, size=size, window=self._window)
        calls = self._window if received >= size else 1
        return tuple(start + received * number for number in range(1, calls + 1))

    def _start(self, call: Hashable | None) -> int:
        if isinstance(call, int):
            return call
        return self._page.first if self._page.style == "page" else 0

    def _position(self, call: Hashable | None) -> str | int | None:
        if self._page.style == "cursor":
            return call if isinstance(call, str | int) else None
        return self._start(call) if self._page.style in {"page", "offset"} else None


def search(expression: str, value: Any) -> Any:
    """Give what an expression of the settings finds in an answer.

    Raises:
        UpstreamGarbled: it cannot be used on this answer.
    """
    try:
        return compile_expression(expression).search(value)
    except ExpressionError as error:
        raise UpstreamGarbled(f"The answer is not as {expression!r} expects: {error}") from error


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for step in parents:
        if not isinstance(body.get(step), dict):
            body[step] = {}
        body = body[step]
    body[last] = value


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:  # noqa: PLR2004
        return int(value)
    if isinstance(value, Decimal) and 0 <= value == value.to_integral_value():
        value = int(min(value, _COUNTLESS))
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
