"""Fakes of the ports: plain objects that keep the contract; the stores are themselves run through the contract suites."""

from test.fakes.accounts import MemoryAccounts
from test.fakes.aftermath import NotedAftermath
from test.fakes.builders import make_product, make_report, make_source, make_task
from test.fakes.caches import FakeCache
from test.fakes.catalogue import MemoryCatalogue
from test.fakes.clock import NOW, FakeClock
from test.fakes.counters import MemoryCounters
from test.fakes.doors import PASSWORD, FakeDoor, as_admin
from test.fakes.guards import MemoryGuardBook
from test.fakes.resources import FakeResource
from test.fakes.shops import FakeConnector, FakeShop, raw_record
from test.fakes.snapshots import digest_of, ids_of, names_of, put_snapshot
from test.fakes.staging import MemoryStaging
from test.fakes.tasks import MemoryTasks

__all__ = [
    "NOW",
    "PASSWORD",
    "FakeCache",
    "FakeClock",
    "FakeConnector",
    "FakeDoor",
    "FakeResource",
    "FakeShop",
    "MemoryAccounts",
    "MemoryCatalogue",
    "MemoryCounters",
    "MemoryGuardBook",
    "MemoryStaging",
    "MemoryTasks",
    "NotedAftermath",
    "as_admin",
    "digest_of",
    "ids_of",
    "make_product",
    "make_report",
    "make_source",
    "make_task",
    "names_of",
    "put_snapshot",
    "raw_record",
]
