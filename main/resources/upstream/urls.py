"""What a shop's own words may do in a URL: be one segment of a path, and nothing else."""

from __future__ import annotations

from urllib.parse import quote

from main.service.errors import UpstreamGarbled

_STEPS = {"", ".", ".."}  # a path is shortened by these before it is sent, quoted or not


def quote_id(source_id: str) -> str:
    """Give a shop's id as one segment of a path, whatever characters it holds.

    Raises:
        UpstreamGarbled: no path can hold it.
    """
    if source_id in _STEPS:
        raise UpstreamGarbled("The product's id cannot stand in a path.")
    try:
        return quote(source_id, safe="")
    except UnicodeEncodeError as error:
        raise UpstreamGarbled("The product's id cannot stand in a path.") from error
