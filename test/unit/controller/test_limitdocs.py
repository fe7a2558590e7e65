from __future__ import annotations

from typing import Any

from main.controller.limitdocs import describe_limits


def describe(path: str) -> dict[str, Any]:
    paths = {path: {"parameters": [], "get": {"responses": {"404": {"headers": {"X-Own": {}}}, "200": {}}}}}
    describe_limits(paths)
    return paths[path]["get"]["responses"]


def test_every_answer_of_a_limited_route_says_how_much_is_left():
    found = describe("/products")
    assert list(found) == ["200", "404", "429"]
    assert set(found["200"]["headers"]) == {"RateLimit", "RateLimit-Policy"}
    assert set(found["404"]["headers"]) == {"RateLimit", "RateLimit-Policy", "X-Own"}
    assert set(found["429"]["headers"]) == {"RateLimit", "RateLimit-Policy", "Retry-After"}


def test_what_asks_whether_the_process_lives_has_no_limit_to_tell_of():
    assert describe("/health") == {"404": {"headers": {"X-Own": {}}}, "200": {}}
