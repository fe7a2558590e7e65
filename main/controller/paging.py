"""A page of a list as it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from main.controller.conditional import answer_json
from main.controller.links import paging_headers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Response
    from marshmallow import Schema


def answer_page(schema: Schema, found: Sequence[Any], total: int, paging: Mapping[str, int]) -> Response:
    """Answer one page of ``total`` things: its data, its place (``page``, ``per_page`` of ``paging``) and the links to the others."""
    page, per_page = paging["page"], paging["per_page"]
    pages = -(-total // per_page)
    body = {"data": schema.dump(found, many=True), "page": page, "per_page": per_page, "total": total, "pages": pages}
    return answer_json(orjson.dumps(body), headers=paging_headers(page, pages, total))
