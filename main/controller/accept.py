"""What forms an address gives its answer in: 406 for a caller whose ``Accept`` rules all of them out (RFC 9110, 12.5.1 and 15.5.7)."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import request
from werkzeug.http import parse_options_header

from main.controller.limits import UNLIMITED
from main.controller.problems import MEDIA_TYPE, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask, Response

_JSON = ("application/json", MEDIA_TYPE)
_PAGE = ("text/html",)
# Files are what they are, whoever asks.
_OFFERS: Mapping[str, tuple[str, ...]] = {"static": (), "restx_doc.static": (), "doc": _PAGE, "root": (*_JSON, *_PAGE)}
_USUAL = {"", "*/*", "application/json"}
_REMEMBERED = 256  # of the headers that browsers and programs really send there are few
_LONGEST_REMEMBERED = 512


def install(app: Flask) -> None:
    """Refuse what an address cannot give before anything is done for it."""
    app.before_request(check_accept)


def check_accept() -> Response | None:
    """Refuse a request whose ``Accept`` leaves nothing of what its address gives."""
    given = request.headers.get("Accept", "")
    offered = _find_offers()
    if not offered or (given in _USUAL and offered[0] == _JSON[0]) or _suits(given, offered):
        return None
    return problem(
        HTTPStatus.NOT_ACCEPTABLE, f"This address gives {' or '.join(offered)}; the Accept header allows none of it."
    )


def _find_offers() -> tuple[str, ...]:
    """Give the media types of an address; none where ``Accept`` is not asked about."""
    if request.endpoint is None or request.method == "OPTIONS" or request.path in UNLIMITED:
        return ()
    return _PAGE if request.blueprint == "console" else _OFFERS.get(request.endpoint, _JSON)


def _suits(given: str, offered: tuple[str, ...]) -> bool:
    return (_judge if len(given) <= _LONGEST_REMEMBERED else _judge.__wrapped__)(given, offered)


@lru_cache(_REMEMBERED)
def _judge(given: str, offered: tuple[str, ...]) -> bool:
    ranges: dict[str, float] = {}
    for item in given.split(","):
        # Parameters beside q are no reason to refuse: `application/json; charset=utf-8` means what it can only mean here.
        name, options = parse_options_header(item)
        if name:
            name = "*/*" if name == "*" else name.lower()
            ranges[name] = max(ranges.get(name, 0.0), _read_weight(options.get("q")))
    return not ranges or any(_weigh(kind, ranges) > 0 for kind in offered)


def _weigh(kind: str, ranges: Mapping[str, float]) -> float:
    """Give the weight of a media type: that of the closest range it is in."""
    for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0


def _read_weight(text: str | None) -> float:
    """Give a weight; what is none counts as 1, so that a slip of the pen refuses nobody."""
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 1.0
