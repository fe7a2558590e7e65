"""Where the pages are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request
from jinja2 import StrictUndefined

from main.controller.bodies import raw_body
from main.controller.console import problems
from main.controller.console.board import BoardPage
from main.controller.console.cards import is_shown
from main.controller.console.frame import Console, asset, attach_console, console_of_app
from main.controller.console.login import LoginPage, LogoutPage
from main.controller.console.overview import HomePage
from main.controller.console.products import ProductPage, ProductsPage
from main.controller.console.sources import SourcePage, SourcesPage
from main.controller.console.task import TaskPage
from main.controller.console.words import FILTERS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flask import Flask

console = Blueprint("console", __name__, url_prefix="/console")

# The overview stands at /, which is an endpoint of the API as well: main/controller/platform.py.
console.add_url_rule("/", view_func=HomePage.as_view("home"), strict_slashes=False)
console.add_url_rule("/products", view_func=ProductsPage.as_view("products"))
console.add_url_rule("/products/<path:product_id>", view_func=ProductPage.as_view("product"))
console.add_url_rule("/sources", view_func=SourcesPage.as_view("sources"))
console.add_url_rule("/sources/<string:name>", view_func=SourcePage.as_view("source"))
console.add_url_rule("/tasks", view_func=BoardPage.as_view("tasks"))
console.add_url_rule("/tasks/<int:task_id>", view_func=TaskPage.as_view("task"))
console.add_url_rule("/login", view_func=LoginPage.as_view("login"))
console.add_url_rule("/logout", view_func=LogoutPage.as_view("logout"))


@console.before_request
def read_form() -> None:
    """Read a form within the bound that every body has, whatever form it belongs to."""
    if request.method == "POST":
        raw_body()


def install(app: Flask, image_hosts: Collection[str]) -> None:
    """Put the console into an app."""
    attach_console(app, Console(frozenset(image_hosts)))
    # A name that a template misspells is an error that a test meets, not an empty place that nobody sees.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(asset=asset, pick_images=_pick_images)
    app.register_blueprint(console)
    problems.install(app)


def _pick_images(urls: Sequence[str]) -> list[str]:
    """Give the images that are loaded, of those a shop names."""
    hosts = console_of_app().image_hosts
    return [url for url in urls if is_shown(url, hosts)]
