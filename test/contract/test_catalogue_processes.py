"""What every catalogue that outlives a process must do when several use it, and when one of them is killed."""

import random
import subprocess
import threading
from contextlib import suppress
from datetime import timedelta

import orjson
import pytest

from main.service.model import Query
from main.service.words import parse_words
from test.contract.backends import DURABLE
from test.contract.child import SNAPSHOT
from test.contract.processes import PATIENCE, second_process
from test.fakes import NOW, ids_of, make_product, put_snapshot


@pytest.fixture(params=DURABLE, ids=lambda backend: backend.name)
def backend(request):
    return request.param


def child(backend, folder, action, argument=""):
    return second_process("test.contract.child", backend.name, folder, action, argument)


def numbers_of(page):
    return {product["name"] for product in map(orjson.loads, page.documents)}


def test_many_processes_may_open_a_new_catalogue_at_once(backend, tmp_path):
    with (
        child(backend, tmp_path, "open") as one,
        child(backend, tmp_path, "open") as two,
        child(backend, tmp_path, "open") as three,
    ):
        answers = [process.communicate(timeout=PATIENCE) for process in (one, two, three)]
    assert [answer[0] for answer in answers] == ["open 0\n"] * 3, answers
    assert backend.faults(tmp_path) == []


def test_a_crawl_that_is_killed_leaves_only_a_lease_that_runs_out(backend, tmp_path, pair):
    reader, writer = pair
    put_snapshot(writer, "acme", [make_product(1)])
    with child(backend, tmp_path, "stage", "acme") as process:
        assert process.stdout.readline() == "staged\n"
        assert reader.find(Query())[1].total == 1
    later = NOW + timedelta(seconds=30)
    assert not writer.acquire("acme", "me", later, NOW)
    assert writer.acquire("acme", "me", later + timedelta(seconds=30), later)
    assert (ids_of(reader.find(Query())[1].documents), reader.head().version) == (["acme:1"], 1)
    assert put_snapshot(writer, "acme", [make_product(2)], owner="me").version == 2


def test_a_killed_commit_leaves_the_old_or_the_new_snapshot(backend, tmp_path, pair):
    reader, writer = pair
    rng, number = random.Random(4), 0
    put_snapshot(writer, "acme", [])
    for _ in range(6):
        with child(backend, tmp_path, "swap", str(number + 1)) as process:
            committed = int(process.stdout.readline().split()[0])
            with suppress(subprocess.TimeoutExpired):
                process.wait(rng.uniform(0, 0.05))
            process.kill()
            rest = [int(line.split()[0]) for line in process.stdout]
        committed = rest[-1] if rest else committed
        head, hits = reader.find(Query(per_page=100))
        (name,) = numbers_of(hits)
        number = int(name.split()[1])
        assert committed <= number <= committed + 1
        assert (hits.total, head.records["acme"].products) == (SNAPSHOT, SNAPSHOT)
        assert reader.find(Query(terms=parse_words(f'"{name}"')))[1].total == SNAPSHOT
        assert reader.find(Query(terms=parse_words("round")))[1].total == SNAPSHOT
        assert backend.faults(tmp_path) == []


def test_a_page_its_facets_and_its_version_are_of_one_moment(backend, tmp_path, pair):
    reader, _ = pair
    query = Query(per_page=100, facets=("brand",), sort="price")
    seen = {}
    with child(backend, tmp_path, "swap", "1") as process:
        assert process.stdout.readline() == "1 1\n"
        threading.Thread(target=process.stdout.read, daemon=True).start()
        for _ in range(20_000):
            if len(seen) > 30:
                break
            head, hits = reader.find(query)
            names = numbers_of(hits)
            assert len(names) == 1
            assert (len(hits.documents), hits.total, head.records["acme"].products) == (SNAPSHOT,) * 3
            number = int(names.pop().split()[1])
            assert [(bucket.value, bucket.count) for bucket in hits.facets["brand"]] == [(f"Brand {number}", SNAPSHOT)]
            assert seen.setdefault(head.version, number) == number == head.version
    assert len(seen) > 30


def test_many_threads_read_one_moment_each_while_another_process_writes(backend, tmp_path, pair):
    reader, _ = pair
    wrong = []

    def read():
        for _ in range(40):
            head, hits = reader.find(Query(per_page=100, terms=parse_words("round")))
            if numbers_of(hits) != {f"Round {head.version}"} or hits.total != SNAPSHOT:
                wrong.append((head.version, numbers_of(hits), hits.total))

    with child(backend, tmp_path, "swap", "1") as process:
        assert process.stdout.readline() == "1 1\n"
        threading.Thread(target=process.stdout.read, daemon=True).start()
        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_several_processes_commit_at_the_same_time(backend, tmp_path, pair):
    reader, _ = pair
    with child(backend, tmp_path, "commit", "a") as one, child(backend, tmp_path, "commit", "b") as two:
        answers = [process.communicate(timeout=PATIENCE) for process in (one, two)]
    assert [answer[0] for answer in answers] == ["done\n"] * 2, answers
    head, hits = reader.find(Query(facets=("source",)))
    assert (head.version, hits.total) == (40, 2 * SNAPSHOT)
    assert [bucket.count for bucket in hits.facets["source"]] == [SNAPSHOT, SNAPSHOT]
