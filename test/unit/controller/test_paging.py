from __future__ import annotations

import pytest
from flask import Flask
from marshmallow import Schema, fields

from main.controller.paging import answer_page


class ThingSchema(Schema):
    name = fields.String()


@pytest.mark.parametrize(
    ("total", "page", "pages", "links"),
    [
        (0, 1, 0, ["first", "last"]),
        (5, 1, 3, ["first", "next", "last"]),
        (5, 3, 3, ["first", "prev", "last"]),
        (5, 9, 3, ["first", "prev", "last"]),
    ],
)
def test_a_page_says_where_it_is_and_where_the_others_are(total: int, page: int, pages: int, links: list[str]):
    with Flask("x").test_request_context(f"/things?per_page=2&page={page}"):
        answer = answer_page(ThingSchema(), [{"name": "a"}], total, {"page": page, "per_page": 2})
    assert answer.json == {"data": [{"name": "a"}], "page": page, "per_page": 2, "total": total, "pages": pages}
    assert answer.headers["X-Total-Count"] == str(total)
    assert [link.partition('rel="')[2].rstrip('"') for link in answer.headers["Link"].split(", ")] == links
