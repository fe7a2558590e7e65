"""The Link header (RFC 8288): what it leads to, and how the two are related."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each passes over the text once, whatever a shop sends: none of them can go back over what it has taken.
_TARGET = re.compile(r"<([^<>]*)>")
_PARAMETER = re.compile(r'\s*;\s*([^\s=;,"<>]*)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?')
_ESCAPED = re.compile(r"\\(.)")


def parse_links(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Give each link's target and its parameters by their names in lower case; of a name that stands twice, the first counts.

    What is between the links is passed over, so one that is malformed hides none of the others.
    """
    position = 0
    while target := _TARGET.search(header, position):
        params: dict[str, str] = {}
        position = target.end()
        while found := _PARAMETER.match(header, position):
            params.setdefault(found[1].lower(), _unquote(found[2] or ""))
            position = found.end()
        yield target[1].strip(), params


def _unquote(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
