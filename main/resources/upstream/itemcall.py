"""The described call for single products: made for ids, and read down to their records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.resources.upstream.base import read_json
from main.resources.upstream.looks import unless_gone
from main.resources.upstream.pager import search
from main.resources.upstream.urls import quote_id
from main.service.errors import UpstreamGarbled
from main.util.expressions import compile_expression
from main.util.places import fill, fill_query
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.resources.upstream.session import Answer, Session
    from main.service.model import ItemCall


def ask_items(session: Session, item: ItemCall, ids: Sequence[str], deadline: float) -> list[Any]:
    """Give the records the shop has of the products with these ids.

    Raises:
        UpstreamError: the shop did not give what was asked.
    """

    def ask() -> Answer:
        # Only a path has to be held together: a query and a body carry whatever an id is made of.
        quoted = [quote_id(one) for one in ids] if "{id" in item.path else ids
        path, params = fill(item.path, quoted), fill_query(item.params, ids)
        if item.body is None:
            return session.get(path, params, deadline=deadline)
        return session.post(path, params, fill(dict(item.body), ids), deadline=deadline)

    # A list that is not found is a list that is not there; only one product can be gone.
    answer = unless_gone(ask) if item.size == 1 else ask()
    if answer is None or (item.size == 1 and not answer.body.strip()):
        return []
    body = read_json(answer)
    found = search(item.record, body)
    if not found and (told := complaint(body)):
        raise UpstreamGarbled(f"The answer has no product (looked for {item.record}).{told}")
    if isinstance(found, list):
        return [record for record in found if record is not None]
    if item.size > 1:
        raise UpstreamGarbled(f"The answer has no list of products (looked for {item.record}).")
    if not found and (absent := compile_expression(item.record).find_absent(body)):
        raise UpstreamGarbled(f"The answer has no product (looked for {item.record}, and there is no {absent}).")
    return [found] if found else []


def complaint(body: Any) -> str:
    """Give what a GraphQL shop says is wrong, which it does in an answer of status 200."""
    told = body.get("errors") if isinstance(body, dict) else None
    message = told[0].get("message") if isinstance(told, list) and told and isinstance(told[0], dict) else None
    return f" The shop says: {shorten(message, 200)}" if isinstance(message, str) else ""
