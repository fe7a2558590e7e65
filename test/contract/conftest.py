"""A fresh catalogue of every backend, and the servers that caches need."""

from contextlib import ExitStack

import pytest

from test.contract.backends import BACKENDS
from test.contract.caches import SERVED
from test.faults.databases import mongo, postgres
from test.faults.servers import serving


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


@pytest.fixture(scope="session")
def ports(tmp_path_factory):
    """A function that gives where the server of a kind of cache is, started when it is first asked for."""
    found = {}
    with ExitStack() as running:

        def port_of(kind):
            if kind in SERVED and kind not in found:
                found[kind] = running.enter_context(serving(kind, tmp_path_factory.mktemp(kind))).port
            return found.get(kind)

        yield port_of


@pytest.fixture(scope="session")
def databases(tmp_path_factory):
    """A function that gives the URL of a new database on a server of a kind, started when it is first asked for."""
    found, servers = {}, {"postgres": postgres, "mongo": mongo}
    with ExitStack() as running:

        def make(kind):
            if kind not in found:
                server = running.enter_context(servers[kind](tmp_path_factory.mktemp(kind)))
                found[kind] = server.make_database if kind == "postgres" else server
            return found[kind]()

        yield make
