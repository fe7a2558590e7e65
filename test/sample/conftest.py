"""A client for whichever shop a test serves."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from wsgiref.types import WSGIApplication

import pytest
import requests

from sample.server import running

Get = Callable[..., requests.Response]
Serve = Callable[[WSGIApplication], Get]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves an application and returns a GET below its address."""
    with ExitStack() as stack:
        session = stack.enter_context(requests.Session())

        def start(app: WSGIApplication) -> Get:
            base_url = stack.enter_context(running(app))

            def get(path: str, **options: object) -> requests.Response:
                return session.get(base_url + path, timeout=5, allow_redirects=False, **options)  # type: ignore[arg-type]

            return get

        yield start
