from __future__ import annotations

import pytest
from flask import Flask

from main.controller.paging import answer_page
from main.controller.taskschemas import ListedTaskSchema
from test.fakes import make_task


@pytest.mark.parametrize(
    ("page", "total", "pages", "links"),
    [(1, 0, 0, {"first", "last"}), (1, 7, 4, {"first", "next", "last"}), (4, 7, 4, {"first", "prev", "last"})],
)
def test_a_page_says_where_it_is_and_where_the_others_are(page: int, total: int, pages: int, links: set[str]):
    with Flask("x").test_request_context(f"/tasks?page={page}&per_page=2&q=a%20b"):
        answer = answer_page(ListedTaskSchema(), [make_task(id=3)] if total else [], total, {"page": page, "per_page": 2})
    found = answer.json
    assert {name: found[name] for name in ("page", "per_page", "total", "pages")} == {
        "page": page,
        "per_page": 2,
        "total": total,
        "pages": pages,
    }
    assert [task["id"] for task in found["data"]] == ([3] if total else [])
    assert {part.rpartition('rel="')[2].rstrip('"') for part in answer.headers["Link"].split(", ")} == links
    assert "q=a+b" in answer.headers["Link"]
    assert answer.headers["X-Total-Count"] == str(total)
