"""Guesses how a list goes on from what stands around it and from the URL it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEPTH = 6
_SIZES = ("limit", "per_page", "page_size", "pagesize", "perpage", "size", "n", "first", "count")
_OFFSETS = ("offset", "skip", "start")
_PAGES = ("page", "p", "page_number", "currentpage", "current_page")
_TOTALS = ("total", "total_count", "totalcount", "count", "total_items", "totalitems", "total_results")
_CURSORS = ("next_cursor", "nextcursor", "endcursor", "end_cursor", "cursor", "next_page_token", "nextpagetoken")
_NEXTS = ("next", "next_url", "next_page_url", "nextpage")
_MORES = ("hasnextpage", "has_next_page", "has_more", "hasmore", "has_next", "hasnext", "more")


def guess_paging(payload: Any, query: Mapping[str, str], items: str = "@", *, linked: bool) -> dict[str, Any]:
    """Give ``page`` of a list: by a Link header, a next URL, a cursor, an offset or a page, whichever shows itself first.

    What stands beside the ``items`` counts before what stands elsewhere.
    """
    near = items.removesuffix("[].node").rpartition(".")[0]
    around = sorted(find_leaves(payload), key=lambda leaf: not leaf[0].startswith(near))
    if linked:
        return {"style": "link"}
    told = next((path for path, value in _all(around, _MORES) if isinstance(value, bool)), None)
    more = {"more": told} if told else {}
    following, cursor = _find(around, _NEXTS), _find(around, _CURSORS)
    if following and isinstance(following[1], str) and following[1].startswith(("http", "/", "?")):
        return {"style": "next_url", "next": following[0], **more}
    if told and not cursor:  # the last page, whose cursor is null
        place = told.rpartition(".")[0]
        cursor = next((leaf for leaf in _all(around, _CURSORS) if leaf[0].rpartition(".")[0] == place), None)
    if cursor:
        return {"style": "cursor", "param": "cursor", "cursor": cursor[0], **more}
    page = _guess_numbers(around, query)
    return page if page["style"] == "none" or "total" in page else {**page, **more}


def _guess_numbers(around: list[tuple[str, str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    total = _find(around, _TOTALS)
    size = next((name for name in query if name.lower() in _SIZES and query[name].isdigit()), None)
    more: dict[str, Any] = {"size_param": size, "size": int(query[size])} if size else {}
    if total and _is_count(total[1]):
        more["total"] = total[0]
    for style, names in (("offset", _OFFSETS), ("page", _PAGES)):
        told = next((name for name in query if name.lower() in names), None) or _find_key(around, names)
        if told:
            first = {"first": 0} if style == "page" and query.get(told) == "0" else {}
            return {"style": style, "param": told, **more, **first}
    return {"style": "none"}


def find_leaves(node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str, Any]]:
    """Give path, key and value of what is neither list nor object, outside of all lists."""
    for key, value in node.items() if isinstance(node, dict) and depth < _DEPTH else ():
        below = f"{path}.{key}".lstrip(".")
        if isinstance(value, dict):
            yield from find_leaves(value, below, depth + 1)
        elif not isinstance(value, list) and key.replace("_", "a").isalnum():
            yield below, key, value


def _find(around: list[tuple[str, str, Any]], names: tuple[str, ...]) -> tuple[str, Any] | None:
    return next(((path, value) for path, value in _all(around, names) if value is not None), None)


def _all(around: list[tuple[str, str, Any]], names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    return ((path, value) for name in names for path, key, value in around if key.lower() == name)


def _find_key(around: list[tuple[str, str, Any]], names: tuple[str, ...]) -> str | None:
    return next((key for name in names for _, key, _ in around if key.lower() == name), None)


def _is_count(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdigit())
