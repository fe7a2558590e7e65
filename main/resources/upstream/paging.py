"""How lists go on: by page numbers, by totals in headers, by links."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from main.resources.upstream.links import parse_links
from main.service.errors import CrawlIncomplete, UpstreamGarbled

if TYPE_CHECKING:
    from collections.abc import Hashable

    from main.resources.upstream.session import Answer


class Trail:
    """The pages that a shop has named, one after the other, in one crawl."""

    def __init__(self) -> None:
        self._named: set[str | int] = set()

    def follow(self, call: Hashable | None, following: str | int | None) -> tuple[str | int, ...]:
        """Give the call that follows from the answer to ``call``, if the shop named one; ``None`` is a crawl's first call.

        Raises:
            CrawlIncomplete: it was named before, so that the list goes round in a circle.
        """
        if call is None:
            self._named.clear()
        if following is None or following == "":
            return ()
        if following in self._named:
            raise CrawlIncomplete("The shop repeats itself: what it names as its next page came before.")
        self._named.add(following)
        return (following,)


def pages_after(page: int, received: int, *, size: int, window: int, last: int | None = None) -> tuple[int, ...]:
    """Give the pages to ask for after one of a list without a total.

    After a full page the next ``window`` pages, so that several are under way at once; after a short one only the next, in case
    the shop clamps the size; after an empty one none.
    """
    if received == 0:
        return ()
    end = page + (window if received >= size else 1)
    return tuple(range(page + 1, min(end, last or end) + 1))


def refuse_beyond(count: int | None, most: int) -> None:
    """Return when a crawl may take as many products, or pages of at least one, as a shop tells of.

    To be asked before calls are planned by such a number: each of them takes memory.

    Raises:
        CrawlIncomplete: they are more than ``most``.
    """
    if count is not None and count > most:
        raise CrawlIncomplete.too_many(most)


def next_link(answer: Answer) -> str | None:
    """Give the URL of the Link header's ``rel="next"``, if there is one.

    Raises:
        UpstreamGarbled: there is one, and it is no URL.
    """
    links = parse_links(answer.headers.get("link", ""))
    found = next((target for target, params in links if "next" in params.get("rel", "").lower().split()), None)
    return None if found is None else join_url(answer.url, found)


def join_url(base: str, found: str) -> str:
    """Give the whole URL of what a shop names as its next page.

    Raises:
        UpstreamGarbled: it is no URL.
    """
    try:
        return urljoin(base, found)
    except ValueError as error:
        raise UpstreamGarbled("The shop's next page is no URL.") from error


def counted(answer: Answer, header: str) -> int | None:
    """Give a header that counts something, when it is there and is a whole number."""
    value = answer.headers.get(header, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004
