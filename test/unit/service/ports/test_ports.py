"""Every concrete thing has each method of its port, under the same parameter names."""

import inspect

import pytest

from main.resources.cache.file import FileCache
from main.resources.cache.memcached import MemcachedCache
from main.resources.cache.memory import MemoryCache
from main.resources.cache.redis import RedisCache
from main.resources.cache.tiered import Tiered
from main.resources.catalogue.reader import SqliteReader
from main.resources.catalogue.staging import SqliteStaging
from main.resources.catalogue.writer import SqliteWriter
from main.resources.guards.files import FileGuardBook
from main.resources.guards.memory import MemoryGuardBook
from main.resources.upstream.base import BaseConnector
from main.service import ports
from main.service.ports import caches, guards, upstream
from main.settings import ConfigFile
from test import fakes
from test.fakes import FakeConnector, FakeResource, MemoryCatalogue, MemoryStaging

PAIRS = [
    (SqliteReader, ports.CatalogueReader),
    (SqliteWriter, ports.CatalogueWriter),
    (SqliteStaging, ports.Staging),
    (BaseConnector, upstream.Connector),
    *((cache, caches.Cache) for cache in (FileCache, MemcachedCache, MemoryCache, RedisCache, Tiered)),
    (ConfigFile, ports.Configuration),
    (MemoryCatalogue, ports.CatalogueReader),
    (MemoryCatalogue, ports.CatalogueWriter),
    (MemoryStaging, ports.Staging),
    (FakeConnector, upstream.Connector),
    (SqliteWriter, ports.SyncBoard),
    (MemoryCatalogue, ports.SyncBoard),
    (MemoryGuardBook, guards.GuardBook),
    (FakeResource, ports.Resource),
    (FileGuardBook, guards.GuardBook),
    (fakes.MemoryGuardBook, guards.GuardBook),
]


@pytest.mark.parametrize(("made", "port"), PAIRS)
def test_an_implementation_has_the_methods_of_its_port(made, port):
    for name, method in inspect.getmembers(port, inspect.isfunction):
        if not name.startswith("_"):
            assert list(inspect.signature(getattr(made, name)).parameters) == list(inspect.signature(method).parameters), name
