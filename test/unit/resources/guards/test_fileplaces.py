"""Places as bytes of a file; what processes do with them is in test/contract/test_guardbook_processes.py."""

import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from main.resources.guards.fileplaces import FilePlaces, PlaceFile
from main.service.errors import UpstreamTimeout


@pytest.fixture
def path(tmp_path):
    return tmp_path / "guards" / "places"


def enter(stack, places, limit):
    stack.enter_context(places.held(limit, time.monotonic()))


def count_descriptors(path):
    """How many of this process lead to the file; what other threads open and close meanwhile is their own affair."""
    gc.collect()
    links = (os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
    return sum(target.removesuffix(" (deleted)") == str(path) for target in links)


def test_another_process_sees_what_is_taken_source_by_source(path):
    ours, theirs, other = (FilePlaces(PlaceFile(path), name) for name in ("acme", "acme", "depot"))
    with ExitStack() as stack:
        enter(stack, ours, 2)
        enter(stack, theirs, 2)
        for places in (ours, theirs):
            with pytest.raises(UpstreamTimeout, match="No place was free"):
                enter(stack, places, 2)
        enter(stack, other, 1)
        enter(stack, theirs, 3)
    with ExitStack() as stack:
        enter(stack, theirs, 2)
        enter(stack, theirs, 2)


def test_one_descriptor_serves_all_places_of_all_sources(path):
    file = PlaceFile(path)
    with ExitStack() as stack:
        for number in range(20):
            enter(stack, FilePlaces(file, f"s{number}"), 4)
        assert count_descriptors(path) == 1
    assert path.stat().st_size == 0


def test_a_file_that_was_removed_is_made_again_and_its_old_places_are_given_back(path, monkeypatch):
    file = PlaceFile(path)
    ours = FilePlaces(file, "acme")
    with ExitStack() as stack:
        enter(stack, ours, 2)
        path.unlink()
        monkeypatch.setattr("main.resources.guards.fileplaces._LOOK", 0.0)
        enter(stack, ours, 2)
        enter(stack, FilePlaces(PlaceFile(path), "acme"), 1)  # free in the new file, where ours has the second place
        assert count_descriptors(path) == 3
    assert count_descriptors(path) == 1
    with ExitStack() as stack:
        enter(stack, ours, 2)
        enter(stack, FilePlaces(PlaceFile(path), "acme"), 2)


def test_many_threads_never_hold_more_places_than_there_are(path):
    ours, theirs = FilePlaces(PlaceFile(path), "acme"), FilePlaces(PlaceFile(path), "acme")
    lock, inside, most = threading.Lock(), 0, 0

    def call(number):
        nonlocal inside, most
        with (ours if number % 2 else theirs).held(3, time.monotonic() + 20):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.001)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, range(400)))
    assert most == 3
    with ExitStack() as stack:
        for _ in range(3):
            enter(stack, ours, 3)
