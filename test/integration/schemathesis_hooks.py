"""What Swagger 2.0 cannot say of /products, so that schemathesis does not take a refusal for a fault."""

from __future__ import annotations

import json
import unicodedata
import uuid
from typing import Any

import schemathesis

from main.controller.idempotency import HEADER, read_key
from main.controller.parameters import DEPTH_LIMIT
from main.service.model import PER_PAGE

LARGEST_BODY = 64 * 1024


@schemathesis.hook("filter_query")
def keep_what_makes_sense(_context: Any, query: Any) -> bool:
    """Keep words that say something, prices within their bounds, and no shop that must answer live.

    A shop that must answer may have been switched off by a call made before; then 503 is the right answer, and documented.
    """
    given = dict(query or {})
    if given.get("require") and str(given.get("live")).lower() == "true":
        return False
    lowest, highest = (_amount(given.get(name)) for name in ("min_price", "max_price"))
    return _says_something(given.get("q")) and (lowest is None or highest is None or lowest <= highest)


@schemathesis.hook("filter_case")
def keep_what_can_be_described(_context: Any, case: Any) -> bool:
    """Keep pages that go no further down than the description of ``page`` says, and no ``If-None-Match: *``: a 304 has no Content-Type.

    And no body that is larger than all may be: what is wrong in it besides is refused with 413, which schemathesis takes for no refusal.
    """
    given, headers = dict(case.query or {}), dict(case.headers or {})
    return (
        headers.get("If-None-Match") != "*"
        and len(json.dumps(case.body, default=str)) <= LARGEST_BODY
        and (_amount(given.get("page")) or 1) * (_amount(given.get("per_page")) or PER_PAGE) <= DEPTH_LIMIT
    )


@schemathesis.hook("before_call")
def use_each_key_once(_context: Any, case: Any, _kwargs: Any) -> None:
    """Replace a good Idempotency-Key by one of its own: with another body the same one is refused, and that is right."""
    if read_key(str((case.headers or {}).get(HEADER, ""))) is not None:
        case.headers[HEADER] = f'"{uuid.uuid4()}"'


def _says_something(text: Any) -> bool:
    return not str(text or "").strip() or any(unicodedata.category(character)[0] in "LN" for character in str(text))


def _amount(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
