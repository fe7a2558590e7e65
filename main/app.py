"""Makes the Flask application, everything fresh, nothing shared between two of them."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from main import __version__
from main.bootstrap import build_services
from main.controller import middleware
from main.controller.context import Services, attach_services
from main.controller.platform import platform
from main.controller.problems import render
from main.controller.products import products
from main.controller.sources import sources
from main.controller.swagger import AisleApi
from main.controller.syncs import syncs

if TYPE_CHECKING:
    from main.settings import Settings


def create_app(settings: Settings, **replacements: Any) -> Flask:
    """Build and open everything an API process needs; ``replacements`` go to :func:`build_services`.

    Raises:
        AisleError: a component cannot be opened.
    """
    built = build_services(settings, **replacements)
    built.lifecycle.open()
    atexit.register(built.lifecycle.close)
    app = Flask("main", static_folder=None)
    app.config.update(
        RESTX_MASK_SWAGGER=False,
        RESTX_INCLUDE_ALL_MODELS=True,
        SWAGGER_UI_DOC_EXPANSION="list",
        SWAGGER_UI_REQUEST_DURATION=True,
    )
    app.url_map.merge_slashes = False
    if proxies := settings.server.proxies:
        fixed = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=proxies)
        app.wsgi_app = fixed  # type: ignore[method-assign]
    middleware.install(app)
    middleware.look_first(app, built.follower.look)
    app.register_error_handler(Exception, render)
    attach_services(app, Services(built.search, built.sources, built.syncs, built.status, built.greeting, built.live))
    api = AisleApi(
        app,
        doc="/docs",
        title="Aisle",
        version=__version__,
        description=settings.service.description,
        sources=lambda: [source.name for source in built.registry.all()],
    )
    for namespace in (products, sources, syncs, platform):
        api.add_namespace(namespace)
    return app
