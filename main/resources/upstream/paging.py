"""How lists go on: by page numbers, by totals in headers, by links."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from requests.utils import parse_header_links

from main.service.errors import CrawlIncomplete

if TYPE_CHECKING:
    from main.resources.upstream.session import Answer


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
    """Give the URL of the Link header's ``rel="next"`` (RFC 8288), if there is one."""
    links = parse_header_links(answer.headers.get("link", ""))
    return next((urljoin(answer.url, link["url"]) for link in links if link.get("rel") == "next"), None)


def counted(answer: Answer, header: str) -> int | None:
    """Give a header that counts something, when it is there and is a whole number."""
    value = answer.headers.get(header, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004
