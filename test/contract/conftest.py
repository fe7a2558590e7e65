"""A fresh catalogue of every backend."""

import pytest

from test.contract.backends import BACKENDS


@pytest.fixture(params=BACKENDS.values(), ids=BACKENDS)
def backend(request):
    return request.param


@pytest.fixture
def pair(backend, tmp_path):
    reader, writer = backend.make(tmp_path)
    reader.open()
    writer.open()
    yield reader, writer
    assert backend.faults(tmp_path) == []
    reader.close()
    writer.close()


@pytest.fixture
def reader(pair):
    return pair[0]


@pytest.fixture
def writer(pair):
    return pair[1]
