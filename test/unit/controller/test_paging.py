"""The parts of a page of any list."""

from __future__ import annotations

import pytest
from flask import Flask
from marshmallow import Schema, fields

from main.controller.paging import answer_page


class NumberSchema(Schema):
    """One number."""

    n = fields.Integer()


@pytest.mark.parametrize(("page", "found", "total", "pages"), [(1, [1, 2], 5, 3), (3, [5], 5, 3), (1, [], 0, 0), (9, [], 5, 3)])
def test_a_page_says_its_place_and_how_many_there_are(page: int, found: list[int], total: int, pages: int):
    with Flask("test").test_request_context(f"/numbers?page={page}&per_page=2"):
        answer = answer_page(NumberSchema(), [{"n": number} for number in found], total, {"page": page, "per_page": 2})
    assert answer.json == {
        "data": [{"n": number} for number in found],
        "page": page,
        "per_page": 2,
        "total": total,
        "pages": pages,
    }
    assert answer.headers["X-Total-Count"] == str(total)
    assert ('rel="next"' in answer.headers["Link"]) is (page < pages)
