"""Connectors and sessions against shops that really answer over HTTP."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from wsgiref.types import WSGIApplication

import pytest

from main.resources.guards.memory import MemoryGuardBook
from main.resources.upstream.base import BaseConnector
from main.resources.upstream.kept import KeptAnswers
from main.resources.upstream.kinds import connect
from main.resources.upstream.session import UpstreamSession
from main.resources.upstream.watchdog import Watchdog
from main.service.model import Source
from main.util.clock import SystemClock
from sample.server import running
from test.unit.resources.upstream.shops import RawShop

A_SOURCE = Source(name="acme", kind="dummyjson", url="http://127.0.0.1:9", currency="EUR", timeout=timedelta(seconds=5))


@pytest.fixture
def serve() -> Iterator[Callable[[WSGIApplication], str]]:
    """Return a function that serves an application and gives its base URL."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(running(app))


@pytest.fixture
def dial(serve) -> Iterator[Callable[..., BaseConnector]]:
    """Return a function that serves an application and gives the connector of a kind for it."""
    with ExitStack() as stack:

        def open_connector(app: WSGIApplication, kind: str, *, path: str = "", **more: object) -> BaseConnector:
            source = replace(A_SOURCE, kind=kind, url=serve(app) + path, **more)
            connector = connect(source, SystemClock())
            stack.callback(connector.close)
            return connector

        yield open_connector


@pytest.fixture
def session_to() -> Iterator[Callable[..., UpstreamSession]]:
    """Return a function that opens a session to a URL, by a guard, or with a cache and a book for kept answers; the rest is its source's."""
    with ExitStack() as stack:

        def open_session(url: str, **more: object) -> UpstreamSession:
            guard, cache, book = (more.pop(name, None) for name in ("guard", "kept", "book"))
            source = replace(A_SOURCE, url=url, **more)
            kept = None if cache is None else KeptAnswers(cache, source, book or MemoryGuardBook(), SystemClock())
            session = UpstreamSession(source, Watchdog(), guard, kept)
            stack.callback(session.close)
            return session

        yield open_session


@pytest.fixture
def raw_shop() -> Iterator[Callable[..., RawShop]]:
    """Return a function that starts a shop which sends exactly the bytes it is told to."""
    with ExitStack() as stack:
        yield lambda *answers: stack.enter_context(RawShop(*answers))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Return a port on which nobody listens: it stays bound, so that nobody else takes it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture(autouse=True)
def no_thread_stays_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    # The watchdog lingers for the next call; test_watchdog.py proves that it ends.
    for thread in {thread for thread in threading.enumerate() if thread.name != "watchdog"} - before:
        thread.join(5)
        assert not thread.is_alive()
