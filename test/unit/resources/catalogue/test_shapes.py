"""How shapes are written; what holds for every catalogue is in test/contract/test_catalogue_syncs.py."""

import json

from main.service.model import FieldShape, Shape
from test.fakes import make_product, make_report
from test.fakes import put_snapshot as put
from test.unit.resources.conftest import fetch

SHAPE = Shape(3, {"price": FieldShape(2, frozenset({"string", "null"}))})


def test_a_shape_is_one_short_text(writer, path):
    put(writer, "acme", [make_product(1)])
    record = writer.begin("acme", make_report().started_at, force=False)
    writer.acquire("acme", "one", make_report().finished_at, make_report().started_at)
    with writer.stage("acme") as staging:
        staging.commit(make_report(id=record.id, shape=SHAPE), (), "one")
    [(text,)] = fetch(path, "SELECT good FROM shape")
    assert json.loads(text) == [3, {"price": [2, "null", "string"]}]
