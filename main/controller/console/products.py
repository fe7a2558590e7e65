"""The catalogue for people: a list with filters, and a page for each product."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from flask.views import MethodView
from marshmallow import ValidationError

from main.controller.console.cards import make_tile, read_card
from main.controller.console.filters import build_filters, build_steps, given_args
from main.controller.console.frame import console_of_app, show
from main.controller.console.words import tell_span, tell_state
from main.controller.context import services
from main.controller.guards import hidden_fields, reader
from main.controller.live import ask_shops, confirm
from main.controller.middleware import load_args
from main.controller.parameters import ProductItemSchema, ProductQuerySchema
from main.controller.problems import flatten
from main.controller.views import View, cover_rejected, open_facets, refuse_hidden
from main.service.errors import InvalidQuery, NotFound, StoreDown
from main.service.model import TaskQuery
from main.service.required import insist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Response
    from werkzeug.datastructures import MultiDict

    from main.controller.console.words import Word
    from main.service.model import Query, SourceStatus, Task, Wish

_QUERY = ProductQuerySchema()
_ITEM = ProductItemSchema()


class ProductsPage(MethodView):
    """Many products."""

    @reader
    def get(self) -> Response:
        """Show what was searched for, from the last good snapshots, with the filters beside it."""
        given, hidden = given_args(), hidden_fields()
        try:
            query, wish = _ask(given, hidden)
        except ValidationError as error:
            return _refuse(given, hidden, cast("dict[str, Any]", error.messages))
        except InvalidQuery as error:
            return _refuse(given, hidden, error.errors)
        return _show_page(given, query, wish, hidden)


class ProductPage(MethodView):
    """One product."""

    @reader
    def get(self, product_id: str) -> Response:
        """Show everything there is to know of one product; with ``live=true`` as its shop has it now."""
        _, wish = load_args(_ITEM, given_args())
        view, notes = View((), hidden_fields()), services().sources.find_notes(product_id)
        covered = [cover_rejected(record, view.hidden) for record in notes]
        try:
            document = services().search.get(product_id)
        except NotFound:
            if not notes:
                raise
            return show("rejected", HTTPStatus.NOT_FOUND, product_id=product_id, notes=covered)
        shown = self._ask(document, wish, view) if wish.live else view.render(document)
        card = read_card(shown)
        return show("product", card=card, notes=covered, standing=_find(card.source), tasks=_find_tasks(product_id))

    def _ask(self, document: bytes, wish: Wish, view: View) -> bytes:
        search = services().search
        # That a required shop is silent is what this page is there to show.
        return ask_shops((document,), wish, search.statuses(search.head()), view).documents[0]


def _find_tasks(product_id: str) -> Sequence[Task] | None:
    """Give a product's tasks, the newest first; None while the board is away, which keeps nobody from the product."""
    try:
        return services().tasks.find(TaskQuery(product=(product_id,), sort="-created"))[0]
    except StoreDown:
        return None


def _ask(given: MultiDict[str, str], hidden: frozenset[str]) -> tuple[Query, Wish]:
    query, wish = load_args(_QUERY, given)
    refuse_hidden(query, hidden)
    services().search.check(source=query.source, require=wish.require)
    return replace(query, facets=open_facets(hidden), fields=()), wish


def _refuse(given: MultiDict[str, str], hidden: frozenset[str], messages: Mapping[str, Any]) -> Response:
    """Show the filters as they were filled in, with what is wrong beside them, and no list."""
    faults = {str(name)[:100]: flatten(found) for name, found in messages.items()}
    filters = build_filters(given, {}, hidden)
    return show("products", HTTPStatus.UNPROCESSABLE_ENTITY, filters=filters, faults=faults, total=None, sort=given.get("sort"))


def _show_page(given: MultiDict[str, str], query: Query, wish: Wish, hidden: frozenset[str]) -> Response:
    search, view = services().search, View((), hidden)
    head = search.head()
    page = search.find(query, head)
    statuses = search.statuses(page.head)
    insist(wish.require, statuses)
    told = confirm(page.hits.documents, wish, statuses, view) if wish.live else None
    documents = view.render_all(page.hits.documents) if told is None else told.documents
    standing, hosts = {status.source.name: _tell_standing(status) for status in statuses}, console_of_app().image_hosts
    return show(
        "products",
        filters=build_filters(given, page.hits.facets, hidden),
        faults={},
        tiles=[make_tile(document, standing, hosts) for document in documents],
        total=page.hits.total,
        steps=build_steps(given, query.page, query.per_page, page.hits.total),
        sort=query.sort,
        live=None if told is None else told.summary,
    )


def _tell_standing(status: SourceStatus) -> Word:
    word = tell_state(status.state)
    return word if status.age_s is None else word._replace(text=f"{word.text}, {tell_span(status.age_s)}")


def _find(source: str) -> SourceStatus | None:
    """Give how a product's source stands; None where it is not configured any more."""
    search = services().search
    return next((status for status in search.statuses(search.head()) if status.source.name == source), None)
