"""Every task store has each method of its port, under the same parameter names."""

import inspect

import pytest

from main.resources.tasks.mongo import MongoTasks
from main.resources.tasks.postgres import PostgresTasks
from main.resources.tasks.sqlite import SqliteTasks
from main.service.ports.tasks import TaskStore
from test.fakes import MemoryTasks


@pytest.mark.parametrize("made", [SqliteTasks, PostgresTasks, MongoTasks, MemoryTasks])
def test_an_implementation_has_the_methods_of_its_port(made):
    for name, method in inspect.getmembers(TaskStore, inspect.isfunction):
        if not name.startswith("_"):
            assert list(inspect.signature(getattr(made, name)).parameters) == list(inspect.signature(method).parameters), name
