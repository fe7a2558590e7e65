from main.service.model import Outcome
from test.fakes import make_product, make_report, put_snapshot
from test.unit.resources.conftest import fetch


def rows(path, columns):
    return fetch(path, f"SELECT {columns} FROM sync ORDER BY id")


def test_every_sync_is_written_down(writer, path):
    put_snapshot(writer, "acme", [make_product(1), make_product(2)])
    put_snapshot(writer, "acme", [make_product(2), make_product(3)])
    writer.record(make_report(outcome=Outcome.FAILED, error_type="UpstreamTimeout", error="too slow", pages=3))
    assert rows(path, "source, state, products, created, updated, deleted, version") == [
        ("acme", "ok", 2, 2, 0, 0, 1),
        ("acme", "ok", 2, 1, 0, 1, 2),
        ("acme", "failed", 0, 0, 0, 0, None),
    ]
    assert rows(path, "error_type, error, pages, finished_at - started_at")[2] == ("UpstreamTimeout", "too slow", 3, 250)
