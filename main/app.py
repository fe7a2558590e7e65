"""Makes the Flask application, everything fresh, nothing shared between two of them."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from main import __version__
from main.bootstrap import build_services
from main.controller import accept, caps, cors, headers, idempotency, limits, middleware, renewal
from main.controller.auth import auth
from main.controller.console import routes as pages
from main.controller.context import Services, attach_services
from main.controller.csrf import CsrfGuard
from main.controller.guards import Gate, attach_gate, caller
from main.controller.platform import platform
from main.controller.problems import render
from main.controller.products import products
from main.controller.sources import sources
from main.controller.swaggerdoc import AisleApi
from main.controller.syncs import syncs
from main.controller.tasks import tasks
from main.controller.views import hide_from
from main.service.model import Role

if TYPE_CHECKING:
    from main.bootstrap import ReadingServices
    from main.settings import Settings


def create_app(settings: Settings, **replacements: Any) -> Flask:
    """Build and open everything an API process needs; ``replacements`` go to :func:`build_services`.

    Raises:
        AisleError: a component cannot be opened.
    """
    built = build_services(settings, **replacements)
    built.lifecycle.open()
    atexit.register(built.lifecycle.close)
    app = _make_flask(settings.server.proxies)
    _install_layers(app, settings, built)
    attach_services(app, _pick_services(built))
    gate = _make_gate(settings, built)
    attach_gate(app, gate)
    api = AisleApi(
        app,
        doc="/docs",
        title="Aisle",
        version=__version__,
        description=settings.service.description,
        anonymous=gate.anonymous is not None,
        sources=lambda: [source.name for source in built.registry.all()],
    )
    for namespace in (products, sources, syncs, tasks, auth, platform):
        api.add_namespace(namespace)
    pages.install(app, settings.console.image_hosts)
    return app


def _make_flask(proxies: int) -> Flask:
    app = Flask("main")
    app.config.update(RESTX_MASK_SWAGGER=False, RESTX_INCLUDE_ALL_MODELS=True)
    app.url_map.merge_slashes = False
    if proxies:
        fixed = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=proxies)
        app.wsgi_app = fixed  # type: ignore[method-assign]
    return app


def _install_layers(app: Flask, settings: Settings, built: ReadingServices) -> None:
    """Put around every request what is the same for all; the order is the one in which a request meets them."""
    middleware.install(app)
    headers.install(app, settings.console.image_hosts)
    cors.install(app, settings.auth.origins)
    renewal.install(app)
    caps.install(app)
    limits.install(app, built.limit, caller)
    accept.install(app)
    idempotency.install(app, built.replies, caller, built.clock)
    middleware.look_first(app, built.follower.look)
    app.register_error_handler(Exception, render)


def _pick_services(built: ReadingServices) -> Services:
    return Services(
        search=built.search,
        sources=built.sources,
        syncs=built.syncs,
        status=built.status,
        greeting=built.greeting,
        live=built.live,
        logins=built.logins,
        tasks=built.tasks,
    )


def _make_gate(settings: Settings, built: ReadingServices) -> Gate:
    rules = settings.auth
    hidden = hide_from({Role.READER: rules.hide.reader, Role.EDITOR: rules.hide.editor})
    return Gate(built.door, CsrfGuard(built.csrf_secret()), Role.READER if rules.anonymous == "reader" else None, hidden)
