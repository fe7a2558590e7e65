"""What holds for SQLite's rows only; what holds for every catalogue is in test/contract/test_catalogue_syncs.py."""

import sqlite3
from contextlib import closing

import pytest

from main.resources.catalogue import syncs
from main.service.model import Outcome
from test.fakes import NOW, make_report, put_snapshot
from test.unit.resources.conftest import fetch


def test_only_the_last_syncs_of_a_source_are_kept(writer, path, monkeypatch):
    monkeypatch.setattr(syncs, "KEPT_SYNCS", 5)
    put_snapshot(writer, "depot", [])
    for number in range(12):
        writer.record(make_report(outcome=Outcome.FAILED, pages=number))
    kept = fetch(path, "SELECT source, pages FROM sync ORDER BY id")
    assert kept == [("depot", 0), *(("acme", number) for number in range(7, 12))]


def test_two_requests_of_a_source_cannot_wait_even_if_the_code_were_wrong(writer, path):
    writer.request("acme", NOW, force=False)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO sync (source, state) VALUES ('acme', 'requested')")
