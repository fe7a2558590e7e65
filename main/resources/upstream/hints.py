"""What a person may want to know of a described list's first page: expressions that find nothing where the list could go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.util.expressions import compile_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.resources.upstream.session import Answer
    from main.service.model import Listing, Paging

_ROUND = {10, 12, 15, 20, 24, 25, 30, 40, 48, 50, 60, 96, 100, 120, 150, 200, 250, 500, 1000}
_ENDS = "so the list ends here"


def find_hints(listing: Listing, received: int, body: Any, answer: Answer) -> tuple[str, ...]:
    """Give what a first page does not have of what ``list.page`` names; no faults, because a list may have one page alone."""
    return tuple(_find_hints(listing, received, body, answer)) if received else ()


def name_end(page: Paging) -> str:
    """Give in words why a list that is said to go on does not."""
    match page.style:
        case "cursor" if page.cursor_header:
            return f"there is no header {page.cursor_header} (list.page.cursor_header)"
        case "cursor" | "next_url":
            return f"list.page.{'next' if page.next else 'cursor'} finds nothing"
        case "link":
            return 'there is no Link header with rel="next"'
    return "there are no records"


def _find_hints(listing: Listing, received: int, body: Any, answer: Answer) -> Iterator[str]:
    page = listing.page
    if page.more and not compile_expression(page.more).search(body):
        yield from _look_for("more", page.more, body)  # a shop that says that this is all need not say how it goes on
    elif page.style == "cursor" and page.cursor:
        yield from _look_for("cursor", page.cursor, body)
    elif page.style == "next_url" and page.next:
        yield from _look_for("next", page.next, body)
    elif page.style == "none" and (received in _ROUND or str(received) in listing.params.values()):
        yield f"list.page: the answer has just {received} records, and without a page style it is taken for the whole list"
    elif (header := {"link": "Link", "cursor": page.cursor_header}.get(page.style)) and _lacks(answer, header):
        key = "cursor_header" if page.cursor_header else "style"
        yield f"list.page.{key}: the answer has no header {header}, {_ENDS}"


def _lacks(answer: Answer, header: str) -> bool:
    return bool(answer.headers) and header.lower() not in answer.headers  # a saved payload has no headers to speak of


def _look_for(key: str, expression: str, body: Any) -> Iterator[str]:
    compiled = compile_expression(expression)
    if absent := compiled.find_absent(body):
        yield f"list.page.{key}: {expression} finds nothing, because there is no {absent}, {_ENDS}"
    elif key != "more" and (found := compiled.search(body)) and not isinstance(found, str | int):
        yield f"list.page.{key}: {expression} finds neither text nor a whole number, {_ENDS}"
