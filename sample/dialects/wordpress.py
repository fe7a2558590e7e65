"""How WordPress pages any list: numbers checked hard, totals and neighbours in headers."""

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Flask, Response, request

from sample.dialects.web import MAX_DIGITS, answer, answer_object, new_app
from sample.records import join

DEFAULT_SIZE = 10
LARGEST_SIZE = 100


class BadParameterError(ValueError):
    """A query parameter WordPress refuses; carries the parameter's name and the reason."""

    def __init__(self, name: str, reason: str) -> None:
        """Keep both parts for the error body."""
        super().__init__(reason)
        self.name = name
        self.reason = reason


def new_wordpress_app(name: str) -> Flask:
    """Return an application whose errors have the WordPress shape."""
    app = new_app(name)
    app.register_error_handler(BadParameterError, _answer_bad_parameter)
    app.register_error_handler(
        404, lambda _: answer_error(404, "rest_no_route", "No route was found matching the URL and request method.")
    )
    return app


def answer_error(status: int, code: str, message: str) -> Response:
    """Return the error body of WordPress."""
    return answer_object({"code": code, "message": message, "data": {"status": status}}, status)


def answer_page(texts: Sequence[bytes], *, wrap: bool = False) -> Response:
    """Return the asked page with its totals; a page past the end is an empty array."""
    size, page = _read("per_page", DEFAULT_SIZE, LARGEST_SIZE), _read("page", 1, None)
    start = _read("offset", (page - 1) * size, None, least=0)
    pages = -(-len(texts) // size)
    headers = {"X-WP-Total": str(len(texts)), "X-WP-TotalPages": str(pages)}
    if pages > 1:
        headers["Link"] = _link(page, pages)
    body = join(texts[start : start + size])
    return answer(b'{"data":%b}' % body if wrap else body, headers=headers)


def _read(name: str, default: int, largest: int | None, least: int = 1) -> int:
    """Return a whole number from the query, refused outside its bounds."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.lstrip("-").isdigit() and len(text) <= MAX_DIGITS):
        raise BadParameterError(name, f"{name} is not of type integer.")
    number = int(text)
    if number < least or (largest is not None and number > largest):
        bounds = f"between {least} (inclusive) and {largest} (inclusive)" if largest else f"greater than or equal to {least}"
        raise BadParameterError(name, f"{name} must be {bounds}")
    return number


def _link(page: int, pages: int) -> str:
    """Return the Link header; the query is kept, only the page changes."""
    targets = {"first": 1, "prev": min(page - 1, pages), "next": page + 1, "last": pages}
    return ", ".join(f'<{_page_url(target)}>; rel="{name}"' for name, target in targets.items() if 1 <= target <= pages)


def _page_url(page: int) -> str:
    """Return this request's URL with another page."""
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "page"]
    return f"{request.base_url}?{urlencode([*query, ('page', str(page))])}"


def _answer_bad_parameter(error: BadParameterError) -> Response:
    """Return the error body WordPress gives for a refused parameter."""
    data = {"status": 400, "params": {error.name: error.reason}}
    body = {"code": "rest_invalid_param", "message": f"Invalid parameter(s): {error.name}", "data": data}
    return answer_object(body, 400)
