"""The Shopify Admin REST dialect: pages behind an opaque cursor in the Link header."""

import base64
import hmac
from urllib.parse import urlencode

import orjson
from flask import Flask, Response, request

from sample.dialects.web import answer, answer_object, new_app, whole_number
from sample.records import Records, join, keep_fields

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 250
ALLOWED_WITH_CURSOR = {"limit", "fields", "page_info"}


class BadCursorError(ValueError):
    """A page_info that this shop did not give out, or one mixed with filters."""


def admin_app(records: Records, token: str | None = None) -> Flask:
    """Return the shop's application; with a token, every call has to show it."""
    app = new_app("shopify_admin")
    app.register_error_handler(BadCursorError, lambda _: answer_object({"errors": {"page_info": "Invalid value."}}, 400))
    app.register_error_handler(404, lambda _: answer_object({"errors": "Not Found"}, 404))

    @app.before_request
    def demand_token() -> Response | None:
        shown = request.headers.get("X-Shopify-Access-Token", "")
        if token is None or hmac.compare_digest(shown.encode(), token.encode()):
            return None
        return answer_object({"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401)

    @app.get("/admin/api/<version>/products.json")
    def list_products(version: str) -> Response:
        if "page" in request.args:
            return answer_object({"errors": {"page": "page cannot be passed"}}, 400)
        limit = min(whole_number("limit", DEFAULT_LIMIT), LARGEST_LIMIT)
        headers = {"X-Shopify-API-Version": version, "X-Shopify-Shop-Api-Call-Limit": "1/400"}
        if ids := request.args.get("ids"):
            named = [text for key in dict.fromkeys(ids.split(",")) if (text := records.text(key.strip()))]
            return answer(b'{"products":%b}' % join(_keep_asked(named[:limit])), headers=headers)
        start, stop = _find_page(records, limit)
        page = _keep_asked(records.texts[start:stop])
        return answer(b'{"products":%b}' % join(page), headers=headers | _link_neighbours(records, start, stop, limit))

    @app.get("/admin/api/<version>/products/<key>.json")
    def get_product(version: str, key: str) -> Response:
        text = records.text(key)
        if text is None:
            return answer_object({"errors": "Not Found"}, 404)
        return answer(b'{"product":%b}' % text, headers={"X-Shopify-API-Version": version})

    return app


def _find_page(records: Records, limit: int) -> tuple[int, int]:
    """Return the places of the page's first record and of the one after its last."""
    cursor = request.args.get("page_info")
    if cursor is not None:
        edge, direction = _read_cursor(records, cursor)
        return (edge + 1, edge + 1 + limit) if direction == "next" else (max(edge - limit, 0), edge)
    since = records.place(request.args.get("since_id", ""))
    start = 0 if since is None else since + 1
    return start, start + limit


def _read_cursor(records: Records, cursor: str) -> tuple[int, str]:
    """Return the place the cursor stands for and the direction it goes from there."""
    try:
        content = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place, direction = records.place(str(content["last_id"])), str(content["direction"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadCursorError from error
    if place is None or set(request.args) - ALLOWED_WITH_CURSOR:
        raise BadCursorError
    return place, direction


def _link_neighbours(records: Records, start: int, stop: int, limit: int) -> dict[str, str]:
    """Return the Link header of one page; without neighbours there is none."""
    links = []
    if 0 < start < len(records):
        links.append(_link(records, start, limit, "previous"))
    if stop < len(records):
        links.append(_link(records, stop - 1, limit, "next"))
    return {"Link": ", ".join(links)} if links else {}


def _link(records: Records, edge: int, limit: int, relation: str) -> str:
    """Return one Link entry to the page beside the record at the edge."""
    content = {"last_id": orjson.loads(records.texts[edge])["id"], "direction": relation.removesuffix("ious")}
    cursor = base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")
    return f'<{request.base_url}?{urlencode({"limit": limit, "page_info": cursor})}>; rel="{relation}"'


def _keep_asked(texts: list[bytes]) -> list[bytes]:
    """Return the texts with only the fields that were asked for."""
    fields = request.args.get("fields")
    return keep_fields(texts, fields.split(",")) if fields else texts
