"""What most tests of the services start from."""

import io
import json
import threading

import pytest
import structlog

from main.util.logs import configure_logs
from test.fakes import FakeClock, MemoryCatalogue, MemoryGuardBook


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def store():
    return MemoryCatalogue()


@pytest.fixture
def log_lines():
    """A function that gives what was logged so far, one object a line."""
    stream = io.StringIO()
    configure_logs("info", terminal=False)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def book():
    return MemoryGuardBook()
