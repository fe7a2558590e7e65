import threading

import pytest

from main.service.errors import StoreDown
from main.service.model import Query
from test.fakes import make_product, put_snapshot


def test_the_head_is_read_once_for_each_change(reader, writer):
    put_snapshot(writer, "acme", [make_product(1)])
    first = reader.head()
    assert reader.head() is first
    put_snapshot(writer, "acme", [make_product(2)])
    assert reader.head().version == first.version + 1


def test_more_threads_than_connections_wait_for_one(reader, writer):
    put_snapshot(writer, "acme", [make_product(1)])
    totals = []
    threads = [threading.Thread(target=lambda: totals.append(reader.find(Query())[1].total)) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [1] * 60


def test_a_closed_reader_reads_again(reader, writer):
    reader.close()
    assert reader.head().version == 0


def test_a_database_damaged_while_it_is_open_is_down(reader, writer, path):
    reader.head()
    reader.close()
    writer.close()
    for file in path.parent.glob("aisle.db*"):
        file.write_bytes(b"\xff" * 8192)
    with pytest.raises(StoreDown):
        reader.find(Query())
