from test.fakes import NOW, digest_of, make_product, make_report, put_snapshot
from test.unit.resources.conftest import fetch


def test_a_staging_area_writes_nothing_into_the_database(writer, path):
    put_snapshot(writer, "acme", [make_product(1)])
    before = stored(path)
    with writer.stage("acme") as staging:
        for number in range(1500):
            staging.add(make_product(number), b"{}", digest_of(b"%d" % number))
        assert stored(path) == before


def stored(path):
    """The database as it lies on the disk, with the log of what was not yet brought into it."""
    log = path.with_name("aisle.db-wal")
    return path.read_bytes(), log.read_bytes() if log.exists() else b""


def test_others_may_write_while_a_crawl_is_staged(writer):
    with writer.stage("acme") as staging:
        staging.add(make_product(1), b"{}", b"d")
        put_snapshot(writer, "depot", [make_product(1, "depot")])
        assert writer.acquire("acme", "one", NOW, NOW)
        assert staging.commit(make_report(products=1), (), "one").version == 2


def test_the_index_keeps_no_copy_of_the_text(writer, path):
    put_snapshot(writer, "acme", [make_product(1, description="unmistakable")])
    ((sql,),) = fetch(path, "SELECT sql FROM sqlite_master WHERE name = 'product_index'")
    assert "content = 'product_text'" in sql
