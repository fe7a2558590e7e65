from main.service.model import Fault, Outcome, Rejected
from test.fakes import NOW, make_product, make_report, put_snapshot
from test.unit.resources.conftest import fetch

OWNED = ("product", "source", "lease", "held", "quarantine", "sync")


def test_a_removed_source_leaves_no_row_behind(writer, path):
    put_snapshot(writer, "acme", [make_product(1)], [Rejected(1, None, (Fault("id", "is missing"),), "{}")])
    with writer.stage("acme") as staging:
        staging.hold(make_report(outcome=Outcome.HELD))
    assert writer.acquire("acme", "one", NOW, NOW)
    assert [count(path, table) > 0 for table in OWNED] == [True] * len(OWNED)
    assert writer.retain([], NOW) == 1
    assert [count(path, table) for table in OWNED] == [0] * len(OWNED)


def count(path, table):
    return fetch(path, f"SELECT count(*) FROM {table}")[0][0]


def test_a_writer_holds_no_connection_between_calls(writer, path):
    writer.schedule("acme", NOW)
    assert not path.with_name("aisle.db-wal").exists()
