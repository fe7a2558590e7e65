"""What most tests of the services start from."""

import threading

import pytest

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
def book():
    return MemoryGuardBook()
